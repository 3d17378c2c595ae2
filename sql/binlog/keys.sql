-- The parts of all unique keys of the scope. A part without a column is an expression (MySQL).
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, INDEX_NAME AS name, COLUMN_NAME AS column_name,
       SUB_PART AS prefix, NULLABLE AS nullable
FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA IN ({{schemas}}) AND NON_UNIQUE = 0
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
