-- Settings that decide how replication works. A variable that this version does not know is simply absent.
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
  'server_id', 'server_uuid', 'server_uid', 'hostname', 'port', 'version_comment', 'lower_case_table_names', 'log_bin',
  'log_slave_updates', 'log_replica_updates', 'binlog_format', 'gtid_mode', 'gtid_domain_id', 'gtid_strict_mode',
  'replicate_same_server_id', 'read_only', 'super_read_only', 'skip_slave_start', 'skip_replica_start',
  'max_allowed_packet', 'slave_run_triggers_for_rbr', 'event_scheduler', 'persisted_globals_load'
)
