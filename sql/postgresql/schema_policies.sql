-- Row policies. Roles by name: they are a server's own, and their names must be alike.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, p.polname::text AS name, p.polcmd::text AS command,
       p.polpermissive AS permissive, pg_get_expr(p.polqual, p.polrelid) AS condition,
       pg_get_expr(p.polwithcheck, p.polrelid) AS new_rows,
       (SELECT string_agg(CASE WHEN r.role = 0 THEN 'public' ELSE r.role::regrole::text END, ', ' ORDER BY r.role::regrole::text)
        FROM unnest(p.polroles) AS r (role)) AS roles
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
