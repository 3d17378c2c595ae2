-- What a replica tells its source before it asks for the binlog: that it knows checksums and GTIDs, and how long
-- silence may last (nanoseconds).
SET @master_binlog_checksum = @@GLOBAL.binlog_checksum,
    @mariadb_slave_capability = 4,
    @master_heartbeat_period = %s
