-- Tables from a name on in the order of names, as this snapshot's own catalog has them, with their columns. For each
-- column: the type below domains and its kind, whether it may hold NULL (a constraint that is not valid yet forbids
-- nothing that is there), whether its length is limited to few bytes, and its collation. Needs nothing.
WITH RECURSIVE base AS (
    SELECT t.oid AS type, t.oid AS below, t.typtype, t.typbasetype FROM pg_type AS t WHERE t.typtype = 'd'
    UNION ALL
    SELECT b.type, t.oid, t.typtype, t.typbasetype
    FROM base AS b JOIN pg_type AS t ON b.typtype = 'd' AND t.oid = b.typbasetype
)
SELECT f.schema, f.name, f.oid::bigint AS oid, f.kind, a.names, a.bases, a.kinds, a.types, a.nullable, a.short, a.collations,
       a.collation_schemas, a.collation_names
FROM (
    SELECT n.nspname::text AS schema, c.relname::text AS name, c.oid, c.relkind::text AS kind
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND (n.nspname !~ '^pg_' OR n.oid = pg_my_temp_schema())
      AND (n.nspname::text COLLATE "C", c.relname::text COLLATE "C") >= (%(schema)s, %(name)s)
    ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
    LIMIT 500
) AS f
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') AS names,
           array_agg(coalesce(b.below, t.oid)::bigint ORDER BY a.attnum) AS bases,
           array_agg(coalesce(b.typtype, t.typtype)::text ORDER BY a.attnum) AS kinds,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
           array_agg(NOT a.attnotnull OR EXISTS (
               SELECT FROM pg_constraint AS k
               WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated AND k.conkey[1] = a.attnum
           ) ORDER BY a.attnum) AS nullable,
           array_agg(a.atttypmod BETWEEN 5 AND 25000 ORDER BY a.attnum) AS short,
           array_agg(a.attcollation::bigint ORDER BY a.attnum) AS collations,
           array_agg(cn.nspname::text ORDER BY a.attnum) AS collation_schemas,
           array_agg(co.collname::text ORDER BY a.attnum) AS collation_names
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN base AS b ON b.type = a.atttypid AND b.typtype <> 'd'
    LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
    LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
    WHERE a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
) AS a
ORDER BY f.schema COLLATE "C", f.name COLLATE "C"
