-- Tables of some databases whose changes cannot be rolled back, and sequences, which are no tables to write to.
SELECT t.TABLE_SCHEMA AS schema_name, t.TABLE_NAME AS table_name, t.ENGINE AS engine, t.TABLE_TYPE AS table_type
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA IN ({{schemas}}) AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
  AND (e.TRANSACTIONS IS NULL OR e.TRANSACTIONS <> 'YES' OR t.TABLE_TYPE = 'SEQUENCE')
