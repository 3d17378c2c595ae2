-- A row too many, if it is still what it was.
DELETE FROM {{table}} WHERE {{guard}} RETURNING 1
