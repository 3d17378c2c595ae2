-- Who has written and not yet committed, and so keeps a slot from being made: sessions, and prepared transactions (pid is
-- null). What sessions of other users do is told to members of pg_read_all_stats alone.
SELECT l.pid, p.gid, a.usename::text AS role, a.datname::text AS database, a.state,
       EXTRACT(EPOCH FROM now() - COALESCE(a.xact_start, p.prepared))::bigint AS seconds,
       CASE WHEN a.state IS NOT NULL THEN left(a.query, 100) END AS query
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
LEFT JOIN pg_prepared_xacts AS p ON l.pid IS NULL AND p.transaction = l.transactionid
WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY seconds DESC NULLS LAST, l.pid
LIMIT 5
