-- Types that columns use, made by somebody: enums, domains, composites and ranges, also below arrays and one another.
WITH RECURSIVE used AS (
    SELECT DISTINCT a.atttypid AS type, a.attrelid AS relid
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
    UNION
    SELECT below.type, u.relid
    FROM used AS u
    JOIN pg_type AS t ON t.oid = u.type
    CROSS JOIN LATERAL (
        SELECT t.typelem AS type UNION SELECT t.typbasetype
        UNION SELECT r.rngsubtype FROM pg_range AS r WHERE r.rngtypid = t.oid OR r.rngmultitypid = t.oid
        UNION SELECT r.rngtypid FROM pg_range AS r WHERE r.rngmultitypid = t.oid
        UNION SELECT a.atttypid FROM pg_attribute AS a
              WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS below
    WHERE below.type >= 16384
)
SELECT tn.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind,
       (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid) AS labels,
       format_type(NULLIF(t.typbasetype, 0), t.typtypmod) AS base, t.typnotnull AS not_null, t.typdefault AS default_value,
       CASE WHEN t.typcollation <> 0 THEN (SELECT format('%%I.%%I', cn.nspname, co.collname) FROM pg_collation AS co
            JOIN pg_namespace AS cn ON cn.oid = co.collnamespace WHERE co.oid = t.typcollation) END AS collation,
       (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c') AS checks,
       (SELECT string_agg(format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS parts,
       (SELECT format_type(r.rngsubtype, NULL) FROM pg_range AS r WHERE r.rngtypid = t.oid) AS subtype,
       array_agg(n.nspname::text ORDER BY c.oid) AS user_schemas, array_agg(c.relname::text ORDER BY c.oid) AS user_names
FROM used AS u
JOIN pg_type AS t ON t.oid = u.type AND t.typtype IN ('e', 'd', 'c', 'r')
JOIN pg_namespace AS tn ON tn.oid = t.typnamespace AND tn.nspname !~ '^pg_'
JOIN pg_class AS c ON c.oid = u.relid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
GROUP BY t.oid, tn.nspname
