-- Triggers that somebody made, and the function that each runs.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, t.tgname::text AS name, t.tgenabled::text AS enabled,
       pg_get_triggerdef(t.oid) AS definition, pn.nspname::text AS function_schema, p.proname::text AS function_name
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_proc AS p ON p.oid = t.tgfoid
JOIN pg_namespace AS pn ON pn.oid = p.pronamespace
WHERE NOT t.tgisinternal AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
