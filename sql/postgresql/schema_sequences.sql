-- Sequences from which columns get their numbers: their own, and those that a default names.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, a.attname::text AS column_name,
       sn.nspname::text AS sequence_schema, s.relname::text AS name, s.relpersistence::text AS persistence,
       format_type(q.seqtypid, NULL) AS type, q.seqstart AS start, q.seqincrement AS increment, q.seqmin AS least,
       q.seqmax AS greatest, q.seqcache AS cache, q.seqcycle AS cycles, u.owned,
       c.relispartition AS is_partition, s.oid::bigint AS oid, c.oid::bigint AS relid,
       format('%%I.%%I', sn.nspname, s.relname) AS full_name, format('%%I.%%I', n.nspname, c.relname) AS full_table,
       quote_ident(a.attname) AS full_column,
       has_sequence_privilege(s.oid, 'SELECT') AS readable,
       has_column_privilege(c.oid, a.attnum, 'SELECT') AS table_readable, row_security_active(c.oid) AS guarded,
       EXISTS (SELECT FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS m ON m.oid = i.relam
               WHERE x.indrelid = c.oid AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL
                 AND m.amname = 'btree') AS indexed
FROM (
    SELECT d.objid AS sequence, d.refobjid AS relid, d.refobjsubid AS attnum, true AS owned
    FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum, false
    FROM pg_depend AS d JOIN pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
      AND NOT EXISTS (SELECT FROM pg_depend AS o
                      WHERE o.classid = 'pg_class'::regclass AND o.objid = d.refobjid AND o.refobjid = f.adrelid
                        AND o.refobjsubid = f.adnum AND o.deptype IN ('a', 'i'))
) AS u
JOIN pg_class AS s ON s.oid = u.sequence AND s.relkind = 'S'
JOIN pg_sequence AS q ON q.seqrelid = s.oid
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
JOIN pg_class AS c ON c.oid = u.relid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = u.relid AND a.attnum = u.attnum AND NOT a.attisdropped
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", a.attnum, s.relname::text COLLATE "C"
