-- Whether what this session does to temporary tables is written to the binary log.
SELECT @@GLOBAL.log_bin = 1 AND @@SESSION.sql_log_bin = 1 AND @@SESSION.binlog_format <> 'ROW' AS logged
