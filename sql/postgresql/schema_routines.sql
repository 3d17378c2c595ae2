-- Functions and procedures that somebody made, what they name where the server keeps book of it, and the tables whose
-- defaults, constraints, indexes, triggers and policies run them.
SELECT n.nspname::text AS schema, p.proname::text AS bare, pg_get_function_identity_arguments(p.oid) AS arguments,
       p.prokind::text AS kind, pg_get_function_arguments(p.oid) AS parameters, pg_get_function_result(p.oid) AS result,
       l.lanname::text AS language, p.provolatile::text AS volatility, p.prosecdef AS definer, p.proisstrict AS strict,
       p.proleakproof AS leakproof, p.proparallel::text AS parallel, array_to_string(p.proconfig, ', ') AS settings,
       COALESCE(pg_get_function_sqlbody(p.oid), p.prosrc) AS body, p.probin::text AS library,
       ARRAY(SELECT DISTINCT rn.nspname::text || chr(1) || r.relname::text
             FROM pg_depend AS d JOIN pg_class AS r ON r.oid = d.refobjid
             JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass) AS names,
       ARRAY(SELECT DISTINCT un.nspname::text || chr(1) || u.relname::text
             FROM pg_depend AS d
             LEFT JOIN pg_attrdef AS a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
             LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
             LEFT JOIN pg_index AS x ON d.classid = 'pg_class'::regclass AND x.indexrelid = d.objid
             LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
             LEFT JOIN pg_policy AS y ON d.classid = 'pg_policy'::regclass AND y.oid = d.objid
             LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
             JOIN pg_class AS u ON u.oid = COALESCE(a.adrelid, NULLIF(k.conrelid, 0), x.indrelid, t.tgrelid, y.polrelid, w.ev_class)
             JOIN pg_namespace AS un ON un.oid = u.relnamespace
             WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid) AS users
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_language AS l ON l.oid = p.prolang
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND p.prokind IN ('f', 'p', 'w')
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
