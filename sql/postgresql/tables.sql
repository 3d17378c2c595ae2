-- Ordinary and partitioned tables and partitions of the scope, with the names of the tables above them, nearest first.
-- Temporary and foreign tables and views are not tables that replicate. How many rows and bytes they have is what the last
-- ANALYZE and the counters of changes say, so nothing is locked or opened. Needs nothing: the catalog is public.
WITH RECURSIVE above AS (
    SELECT i.inhrelid AS relid, i.inhparent AS parent, 1 AS distance, i.inhseqno AS seqno
    FROM pg_inherits AS i
    UNION ALL
    SELECT a.relid, i.inhparent, a.distance + 1, i.inhseqno
    FROM above AS a JOIN pg_inherits AS i ON i.inhrelid = a.parent
)
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       c.relpersistence::text AS persistence, c.relispartition AS is_partition, c.relreplident::text AS identity,
       ARRAY(SELECT pn.nspname::text
             FROM above AS a JOIN pg_class AS p ON p.oid = a.parent JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
             WHERE a.relid = c.oid ORDER BY a.distance, a.seqno, p.oid) AS above_schemas,
       ARRAY(SELECT p.relname::text
             FROM above AS a JOIN pg_class AS p ON p.oid = a.parent
             WHERE a.relid = c.oid ORDER BY a.distance, a.seqno, p.oid) AS above_names,
       coalesce(nullif(greatest(c.reltuples, 0), 0), nullif(pg_stat_get_live_tuples(c.oid), 0), nullif(c.reltuples, -1))::bigint
           AS estimate,
       CASE WHEN c.relpages > 0 OR c.reltuples >= 0
            THEN (c.relpages + coalesce(toast.relpages, 0)) * current_setting('block_size')::bigint END AS size,
       CASE c.relreplident
           WHEN 'f' THEN true
           WHEN 'n' THEN false
           WHEN 'i' THEN EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisreplident AND x.indislive)
           ELSE EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisprimary AND x.indislive)
       END AS identified
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_class AS toast ON toast.oid = c.reltoastrelid
WHERE c.relkind IN ('r', 'p') AND c.relpersistence IN ('p', 'u')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR n.nspname::text = ANY (%(schemas)s::text[]))
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
