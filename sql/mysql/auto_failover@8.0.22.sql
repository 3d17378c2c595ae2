-- Whether the channel is one that a replication group starts when it elects a primary. Needs SELECT on the table.
SELECT SOURCE_CONNECTION_AUTO_FAILOVER = '1' AS failover FROM performance_schema.replication_connection_configuration
WHERE CHANNEL_NAME = %s
