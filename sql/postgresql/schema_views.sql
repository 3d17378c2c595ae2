-- Views and what they name: relations and functions, as the server keeps book of it.
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, pg_get_viewdef(c.oid) AS definition,
       array_to_string(c.reloptions, ', ') AS parameters, c.relispopulated AS populated,
       ARRAY(SELECT DISTINCT rn.nspname::text || chr(1) || r.relname::text
             FROM pg_rewrite AS w
             JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
             JOIN pg_class AS r ON r.oid = d.refobjid AND r.oid <> c.oid
             JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
             WHERE w.ev_class = c.oid
             UNION
             SELECT fn.nspname::text || chr(1) || f.proname::text
             FROM pg_rewrite AS w
             JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_proc'::regclass
             JOIN pg_proc AS f ON f.oid = d.refobjid
             JOIN pg_namespace AS fn ON fn.oid = f.pronamespace
             WHERE w.ev_class = c.oid) AS names
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
