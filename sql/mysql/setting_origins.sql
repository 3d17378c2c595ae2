-- How settings that replication depends on were set, which of them outlive a restart, and which option files were read.
SELECT i.VARIABLE_NAME AS name, i.VARIABLE_SOURCE AS origin, NULLIF(i.VARIABLE_PATH, '') AS path,
       p.VARIABLE_VALUE AS persisted, NULL AS default_value
FROM performance_schema.variables_info AS i
LEFT JOIN performance_schema.persisted_variables AS p ON p.VARIABLE_NAME = i.VARIABLE_NAME
WHERE i.VARIABLE_NAME IN ('binlog_format', 'server_id') OR (i.VARIABLE_PATH <> '' AND i.VARIABLE_SOURCE <> 'PERSISTED')
