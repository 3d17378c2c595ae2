-- Indexes, with the constraint that they serve: what is in a key is in the definition of its index, too. The definition's
-- head holds the names of index and table.
SELECT n.nspname::text AS schema, c.relname::text AS table_name, i.relname::text AS name,
       x.indisvalid AND x.indislive AS valid,
       pg_get_indexdef(x.indexrelid) AS definition,
       format(' INDEX %%I ON %%s%%I.%%I ', i.relname, CASE WHEN c.relkind = 'p' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname) AS head,
       CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE pg_get_constraintdef(k.oid) END
           || CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END
           || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END AS constraint_definition
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint AS k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
