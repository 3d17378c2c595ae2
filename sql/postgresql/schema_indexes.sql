-- Indexes, with the constraint that they serve. The definition's head holds the names of index and table.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, i.relname::text AS name,
       x.indisunique AS is_unique, x.indisprimary AS is_primary, x.indisvalid AND x.indislive AS valid,
       pg_get_indexdef(x.indexrelid) AS definition,
       format(' INDEX %%I ON %%s%%I.%%I ', i.relname, CASE WHEN c.relkind = 'p' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname) AS head,
       k.constraint_definition,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = u.attnum
             ORDER BY u.place) AS columns
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN (SELECT conindid, conrelid, pg_get_constraintdef(oid) AS constraint_definition
           FROM pg_constraint WHERE contype IN ('p', 'u', 'x')) AS k
  ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
