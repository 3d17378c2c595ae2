-- What sessions and workers of replication do, since when their transactions are open, and which locks they hold. Sessions
-- with another database count where they have written. What sessions of other users do is told to members of
-- pg_read_all_stats alone.
SELECT a.pid, a.usename::text AS role, COALESCE(host(a.client_addr), 'the server itself') AS host,
       a.datname::text AS database, a.datname = current_database() AS here,
       a.application_name AS program, a.backend_type AS kind, r.rolsuper AS superuser,
       EXTRACT(EPOCH FROM clock_timestamp() - a.xact_start)::float8 AS seconds,
       a.backend_xid IS NOT NULL OR COALESCE(l.locking, false) AS writes,
       CASE WHEN a.state = 'active' THEN left(a.query, 400) END AS statement,
       CASE WHEN a.wait_event_type = 'Lock' THEN a.wait_event END AS waits_for,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) END AS blockers,
       EXTRACT(EPOCH FROM clock_timestamp() - l.waiting)::float8 AS waits_seconds,
       l.held, l.written
FROM pg_stat_activity AS a
LEFT JOIN pg_roles AS r ON r.oid = a.usesysid
LEFT JOIN LATERAL (
    SELECT bool_or(k.mode IN ('RowShareLock', 'RowExclusiveLock') AND k.granted) AS locking,
           min(k.waitstart) AS waiting,
           array_agg(DISTINCT ARRAY[k.mode, COALESCE(n.nspname::text, ''), COALESCE(c.relname::text, '')])
               FILTER (WHERE k.granted AND k.mode IN
                       ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                       AND c.relkind IS DISTINCT FROM 'i') AS held,
           array_agg(DISTINCT ARRAY[n.nspname::text, c.relname::text])
               FILTER (WHERE k.granted AND k.mode = 'RowExclusiveLock' AND c.relkind IN ('r', 'p')) AS written
    FROM pg_locks AS k
    LEFT JOIN pg_database AS d ON d.oid = k.database AND d.datname = current_database()
    LEFT JOIN pg_class AS c ON c.oid = k.relation AND d.oid IS NOT NULL
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.pid = a.pid AND (NOT k.granted OR k.locktype = 'relation')
      AND n.nspname IS DISTINCT FROM 'pg_catalog' AND n.nspname IS DISTINCT FROM 'pg_toast'
      AND c.relpersistence IS DISTINCT FROM 't'
) AS l ON true
WHERE a.pid <> pg_backend_pid()
  AND (a.datname = current_database() OR a.backend_xid IS NOT NULL)
  AND a.backend_type NOT IN ('walsender', 'autovacuum worker', 'autovacuum launcher')
  AND NOT (a.backend_type = 'client backend' AND a.application_name LIKE 'replguard%')
ORDER BY a.pid
