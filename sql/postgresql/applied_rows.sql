-- Rows that stand in a table and were written there under one of these origins. Needs SELECT on the table, and
-- track_commit_timestamp; rows whose transaction is older than the server's memory do not count.
SELECT o.roident::int AS origin, sum(x.rows)::bigint AS rows,
       to_char(min(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS first_at,
       to_char(max(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS last_at
FROM (SELECT t.xmin AS xid, count(*) AS rows FROM {{table}} AS t GROUP BY t.xmin) AS x,
     pg_xact_commit_timestamp_origin(x.xid) AS o
WHERE o.roident::int = ANY (%(origins)s::int[])
GROUP BY o.roident
ORDER BY o.roident
