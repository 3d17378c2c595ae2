-- The workers of a subscription: its apply worker, and those of initial copies and parallel apply. Needs nothing.
SELECT w.pid, w.relid IS NULL AND w.leader_pid IS NULL AND w.pid IS NOT NULL AS applies,
       w.received_lsn::text AS received, w.latest_end_lsn::text AS latest_end,
       EXTRACT(EPOCH FROM clock_timestamp() - w.latest_end_time)::float8 AS heard_seconds_ago
FROM pg_stat_subscription AS w
WHERE w.subid = %(oid)s::oid AND w.pid IS NOT NULL
ORDER BY applies DESC
