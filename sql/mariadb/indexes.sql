-- The parts of all indexes of the scope.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, INDEX_NAME AS name, NON_UNIQUE AS non_unique,
       COLUMN_NAME AS column_name, SUB_PART AS prefix, COLLATION AS direction, INDEX_TYPE AS type,
       IF(IGNORED = 'YES', 'NO', 'YES') AS visible, NULL AS expression
FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA IN ({{schemas}})
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
