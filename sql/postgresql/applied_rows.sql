-- Rows of a table by the replication origin that wrote them; local ones (origin 0) are left out, and the origin is null
-- where the server does not remember it. Needs SELECT on the table, and track_commit_timestamp.
SELECT o.roident::int AS origin, sum(x.rows)::bigint AS rows,
       to_char(min(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS first_at,
       to_char(max(o.timestamp), 'YYYY-MM-DD"T"HH24:MI:SS.USOF') AS last_at
FROM (SELECT t.xmin AS xid, count(*) AS rows FROM {{table}} AS t GROUP BY t.xmin) AS x,
     pg_xact_commit_timestamp_origin(x.xid) AS o
WHERE o.roident IS DISTINCT FROM 0
GROUP BY o.roident
ORDER BY o.roident
