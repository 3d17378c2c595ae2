-- How much of what is limited is taken. Sessions are counted with workers, by which the count errs on the high side; it
-- needs nothing. Temporary slots of replguard are not counted.
SELECT current_setting('max_replication_slots')::int AS slots_most,
       (SELECT count(*) FROM pg_replication_slots AS s WHERE NOT (s.temporary AND s.slot_name LIKE 'replguard\_%'))::int AS slots,
       current_setting('max_wal_senders')::int AS senders_most, (SELECT count(*) FROM pg_stat_replication)::int AS senders,
       current_setting('max_logical_replication_workers')::int AS workers_most,
       (SELECT count(*) FROM pg_stat_subscription AS w WHERE w.pid IS NOT NULL)::int AS workers,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int AS connections_most,
       (SELECT coalesce(sum(b.numbackends), 0) FROM pg_stat_database AS b)::int AS connections,
       (SELECT d.datconnlimit FROM pg_database AS d WHERE d.datname = current_database()) AS database_most,
       (SELECT b.numbackends FROM pg_stat_database AS b WHERE b.datname = current_database())::int AS of_database,
       (SELECT r.rolconnlimit FROM pg_roles AS r WHERE r.rolname = current_user) AS role_most,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usename = current_user)::int AS of_role
