-- The end of the binlog at the very moment when the snapshot of this connection was taken.
SHOW STATUS LIKE 'binlog_snapshot_%'
