-- All columns of the scope, in the order of the tables.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, COLUMN_NAME AS name, COLUMN_TYPE AS type,
       IS_NULLABLE AS nullable, COLUMN_DEFAULT AS default_value, COLLATION_NAME AS collation_name, EXTRA AS extra,
       GENERATION_EXPRESSION AS generation
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA IN ({{schemas}})
ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
