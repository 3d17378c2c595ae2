-- How settings that replication depends on were set, and which option files were read (shown to who has FILE).
SELECT LOWER(VARIABLE_NAME) AS name, GLOBAL_VALUE_ORIGIN AS origin, GLOBAL_VALUE_PATH AS path,
       NULL AS persisted, DEFAULT_VALUE AS default_value
FROM information_schema.SYSTEM_VARIABLES
WHERE VARIABLE_NAME IN ('BINLOG_FORMAT', 'SERVER_ID', 'GTID_DOMAIN_ID', 'SLAVE_RUN_TRIGGERS_FOR_RBR')
   OR GLOBAL_VALUE_ORIGIN = 'CONFIG'
