-- The databases of the scope that exist.
SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ({{schemas}})
