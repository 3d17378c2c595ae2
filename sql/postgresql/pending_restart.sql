-- Settings that logical replication needs and that a restart will change. Needs nothing.
SELECT name, setting FROM pg_settings
WHERE pending_restart
  AND name IN ('wal_level', 'max_wal_senders', 'max_replication_slots', 'max_logical_replication_workers',
               'max_worker_processes', 'max_active_replication_origins', 'track_commit_timestamp')
ORDER BY name
