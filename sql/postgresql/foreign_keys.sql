-- Foreign keys of the given tables; those that a partition inherits stand at the partition too.
SELECT f.conrelid::bigint AS relid, f.conname::text AS name, n.nspname::text AS parent_schema, p.relname::text AS parent_name,
       f.confdeltype::text AS on_delete, f.confupdtype::text AS on_update,
       ARRAY(SELECT a.attname::text FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(f.confkey) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.number ORDER BY k.place) AS parent_columns
FROM pg_constraint AS f
JOIN pg_class AS p ON p.oid = f.confrelid
JOIN pg_namespace AS n ON n.oid = p.relnamespace
WHERE f.contype = 'f' AND f.conrelid = ANY (%(relids)s::oid[])
ORDER BY f.conrelid, f.conname::text COLLATE "C", f.oid
