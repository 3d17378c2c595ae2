-- What the foreign keys of the scope do. REFERENTIAL_CONSTRAINTS hides its rows from who may only SELECT (MariaDB): then
-- the actions are read from SHOW CREATE TABLE.
SELECT CONSTRAINT_SCHEMA AS schema_name, TABLE_NAME AS table_name, CONSTRAINT_NAME AS name,
       DELETE_RULE AS on_delete, UPDATE_RULE AS on_update
FROM information_schema.REFERENTIAL_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA IN ({{schemas}})
