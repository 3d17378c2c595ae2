-- What is persisted about starting channels with the server; no row where nothing is. Everybody may read it.
SELECT VARIABLE_VALUE AS value FROM performance_schema.persisted_variables
WHERE VARIABLE_NAME IN ('skip_replica_start', 'skip_slave_start')
