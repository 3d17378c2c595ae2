-- From where the running server has its setting about starting channels. Everybody may read it.
SELECT VARIABLE_SOURCE AS source FROM performance_schema.variables_info
WHERE VARIABLE_NAME IN ('skip_replica_start', 'skip_slave_start')
