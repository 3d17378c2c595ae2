-- Foreign keys that may be checked at the end of the transaction are.
SET CONSTRAINTS ALL DEFERRED
