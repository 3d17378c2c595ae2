-- What is executed and stands in no binlog file any more.
SELECT @@GLOBAL.gtid_purged AS purged
