-- The tables of check constraints. Their names are unique in a database.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, ENFORCED AS enforced
FROM information_schema.TABLE_CONSTRAINTS
WHERE TABLE_SCHEMA IN ({{schemas}}) AND CONSTRAINT_TYPE = 'CHECK'
