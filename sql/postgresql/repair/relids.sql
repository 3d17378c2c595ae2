-- Some tables with all partitions below them.
SELECT DISTINCT coalesce(p.relid, c.oid::regclass)::oid::bigint AS relid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS w (schema, name)
JOIN pg_namespace AS n ON n.nspname::text = w.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname::text = w.name
LEFT JOIN LATERAL pg_partition_tree(c.oid::regclass) AS p ON c.relkind = 'p'
