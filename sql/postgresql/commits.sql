-- Under which origin transactions were first committed, and when; 0 is this server itself. Needs track_commit_timestamp.
SELECT x.xid, o.roident::bigint AS number, r.roname AS name, o."timestamp" AS committed_at
FROM unnest(%(xids)s::text[]) AS x (xid)
CROSS JOIN LATERAL pg_xact_commit_timestamp_origin(x.xid::xid) AS o
LEFT JOIN pg_replication_origin AS r ON r.roident = o.roident
