-- Base backups that run, and programs that make backups. Needs pg_read_all_stats.
SELECT a.pid, a.usename::text AS role, a.application_name AS program,
       p.pid IS NOT NULL AS base
FROM pg_stat_activity AS a LEFT JOIN pg_stat_progress_basebackup AS p USING (pid)
WHERE p.pid IS NOT NULL
   OR a.application_name ~* '^(pg_dump|pg_dumpall|pg_basebackup|pgbackrest|barman|wal-g|wal-e|pg_probackup)'
ORDER BY a.pid
