-- The unique keys of plain columns of all tables; parts of an index on a part of the rows count too.
SELECT n.nspname::text AS schema, c.relname::text AS name,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
             WHERE k.place <= x.indnkeyatts ORDER BY k.place) AS columns
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE x.indisunique AND x.indexprs IS NULL AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY x.indexrelid
