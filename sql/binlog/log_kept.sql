-- When the server removes binlog files by itself, where they lie, and its clock. A variable that this version does not know
-- is simply absent.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
  'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'expire_logs_days', 'max_binlog_total_size',
  'log_bin_basename'
)
