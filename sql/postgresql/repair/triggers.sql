-- Triggers of users that fire for what a session changes, of some tables and their partitions.
SELECT n.nspname::text AS schema, c.relname::text AS name, t.tgname::text AS trigger, t.tgenabled = 'A' AS always
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid = ANY (%(relids)s::oid[])
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", t.tgname::text COLLATE "C"
