-- User triggers of the given tables: the definition, the firing mode and the function's source.
SELECT t.tgrelid::bigint AS relid, t.tgname::text AS name, t.tgtype::int AS type, t.tgenabled::text AS enabled,
       pg_get_triggerdef(t.oid) AS definition, p.prosrc AS source
FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgrelid = ANY (%(relids)s::oid[])
ORDER BY t.tgrelid, t.tgname::text COLLATE "C"
