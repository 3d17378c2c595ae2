-- Columns in their order; base is the type below domains, by which kind and exact form are chosen.
WITH RECURSIVE base AS (
    SELECT t.oid AS type, t.oid AS below, t.typtype, t.typbasetype FROM pg_type AS t
    UNION ALL
    SELECT b.type, t.oid, t.typtype, t.typbasetype
    FROM base AS b JOIN pg_type AS t ON b.typtype = 'd' AND t.oid = b.typbasetype
)
SELECT a.attrelid::bigint AS relid, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       b.below::bigint AS base, b.typtype::text AS base_kind,
       NOT a.attnotnull OR EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = a.attrelid AND k.contype = 'n'
                                   AND NOT k.convalidated AND k.conkey[1] = a.attnum) AS nullable,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generated,
       CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
       a.attidentity <> '' AS identity,
       CASE WHEN a.attidentity = 'a' THEN 'identity, always' WHEN a.attidentity = 'd' THEN 'identity, by default'
            WHEN a.attgenerated = 's' THEN 'stored' WHEN a.attgenerated = 'v' THEN 'virtual' ELSE '' END AS extra
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN base AS b ON b.type = a.atttypid AND b.typtype <> 'd'
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
WHERE a.attrelid = ANY (%(relids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
