-- Who holds the operators' lock, by what the session said of itself, which everybody may read. Since when is shown to its
-- own role and to pg_read_all_stats.
SELECT a.pid, a.application_name AS program, a.usename::text AS role, a.backend_start AS since
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.mode = 'ExclusiveLock'
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = (%(token)s)::bigint
