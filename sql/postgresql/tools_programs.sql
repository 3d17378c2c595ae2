-- The programs that are connected, by what they say of themselves, which every user is shown. Workers of subscriptions
-- are called as these.
SELECT a.application_name AS program, a.usename::text AS role, count(*) AS sessions
FROM pg_stat_activity AS a
WHERE a.backend_type IN ('client backend', 'walsender') AND a.application_name <> '' AND a.application_name NOT LIKE 'replguard%' AND a.pid <> pg_backend_pid()
GROUP BY 1, 2
ORDER BY 1, 2
