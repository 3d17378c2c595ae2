-- Whether anybody on this server, in any database, holds that advisory lock.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND (classid::bigint << 32) | objid::bigint = (%(token)s)::bigint
) AS seen
