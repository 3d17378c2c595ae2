-- Rules of tables; those that make a view a view are told as the view's definition.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, r.rulename::text AS name, r.ev_enabled::text AS enabled,
       pg_get_ruledef(r.oid) AS definition
FROM pg_rewrite AS r
JOIN pg_class AS c ON c.oid = r.ev_class
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
