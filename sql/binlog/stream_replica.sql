-- What a replica tells its source before it asks for the binlog: that it knows checksums, how long silence may last
-- (nanoseconds), and an identity of its own, which no other replica has. Both spellings, for old and new versions.
SET @master_binlog_checksum = @@GLOBAL.binlog_checksum,
    @source_binlog_checksum = @@GLOBAL.binlog_checksum,
    @master_heartbeat_period = %s,
    @source_heartbeat_period = %s,
    @slave_uuid = %s,
    @replica_uuid = %s
