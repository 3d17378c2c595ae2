-- Whether this session holds the operators' lock still.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND mode = 'ExclusiveLock' AND pid = pg_backend_pid()
      AND (classid::bigint << 32) | objid::bigint = (%(token)s)::bigint
) AS kept
