-- Foreign keys, check constraints, and NOT NULL where it is more than the column's flag tells. Keys stand with indexes.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, k.conname::text AS name, k.contype::text AS kind,
       pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid, k.connoinherit AS no_inherit,
       EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled = 'D') AS disabled
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE (k.contype IN ('c', 'f') OR k.contype = 'n' AND NOT k.convalidated)
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
