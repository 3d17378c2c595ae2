-- Check constraints of the scope; the tables are told by checked_tables: joined, the two take MySQL a second for 300 tables.
SELECT CONSTRAINT_SCHEMA AS schema_name, NULL AS table_name, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause,
       NULL AS enforced
FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA IN ({{schemas}})
