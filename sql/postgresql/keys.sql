-- For each table its primary key, else the unique key that can stand for one: valid, immediate, total, of plain columns
-- that are all NOT NULL; of several the one with fewest columns, then by their names, so that both sides choose alike.
SELECT DISTINCT ON (k.relid) k.relid::bigint AS relid, k.schema, k.name, k.columns
FROM (
    SELECT x.indrelid AS relid, x.indisprimary, x.indnkeyatts, n.nspname::text AS schema, c.relname::text AS name,
           ARRAY(SELECT a.attname::text COLLATE "C"
                 FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS i (attnum, place)
                 JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = i.attnum
                 WHERE i.place <= x.indnkeyatts ORDER BY i.place) AS columns
    FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE x.indisunique AND x.indimmediate AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS i (attnum, place)
                      JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = i.attnum
                      LEFT JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum
                      WHERE i.place <= x.indnkeyatts AND (NOT a.attnotnull OR NOT k.convalidated))
) AS k
ORDER BY k.relid, k.indisprimary DESC, k.indnkeyatts, k.columns
