-- All tables of the scope that hold rows, MariaDB's sequences and system-versioned tables included.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, TABLE_TYPE AS table_type, ENGINE AS engine,
       TABLE_ROWS AS estimate, DATA_LENGTH AS size
FROM information_schema.TABLES
WHERE TABLE_SCHEMA IN ({{schemas}}) AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
