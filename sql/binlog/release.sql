-- Lets go of the metadata lock on the table that was read; the view stays.
ROLLBACK TO SAVEPOINT replguard
