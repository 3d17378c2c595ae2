-- The same place as a GTID position.
SELECT BINLOG_GTID_POS(%s, %s) AS gtids
