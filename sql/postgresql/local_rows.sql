-- Rows of a table that were written on this server itself, and those of which it does not remember who wrote them (a null
-- origin). Needs SELECT on the table, and track_commit_timestamp.
SELECT o.roident::int AS origin, sum(x.rows)::bigint AS rows,
       to_char(min(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS first_at,
       to_char(max(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS last_at
FROM (SELECT t.xmin AS xid, count(*) AS rows FROM {{table}} AS t GROUP BY t.xmin) AS x,
     pg_xact_commit_timestamp_origin(x.xid) AS o
WHERE o.roident = 0 OR o.roident IS NULL
GROUP BY o.roident
ORDER BY o.roident
