-- How far the target has applied, as it remembers itself. Needs superuser, or EXECUTE on the function.
SELECT pg_replication_origin_progress(%(origin)s, true)::text AS applied
FROM pg_replication_origin WHERE roname = %(origin)s
