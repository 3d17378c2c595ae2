-- What is set for tables as a whole: storage, replica identity, row security, what they are partitioned by and part of.
SELECT n.nspname::text AS schema, c.relname::text AS name,
       c.relpersistence::text AS persistence, c.relreplident::text AS identity,
       (SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND x.indisreplident) AS identity_index,
       c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced_row_security,
       am.amname::text AS method, array_to_string(c.reloptions, ', ') AS parameters,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioned_by,
       pg_get_expr(c.relpartbound, c.oid) AS bound, format_type(NULLIF(c.reloftype, 0), NULL) AS of_type,
       (SELECT string_agg(format('%%I.%%I', pn.nspname, p.relname), ', ' ORDER BY h.inhseqno)
        FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
        WHERE h.inhrelid = c.oid) AS parents
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS am ON am.oid = c.relam
WHERE c.relkind IN ('r', 'p') AND c.relpersistence IN ('p', 'u')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
