-- What this server has written, and what it has applied.
SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_slave_pos
