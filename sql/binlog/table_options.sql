-- What is set for the tables of the scope as a whole.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, TABLE_TYPE AS type, ENGINE AS engine,
       ROW_FORMAT AS row_format, TABLE_COLLATION AS collation_name, CREATE_OPTIONS AS options
FROM information_schema.TABLES
WHERE TABLE_SCHEMA IN ({{schemas}}) AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
