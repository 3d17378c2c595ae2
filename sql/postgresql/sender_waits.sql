-- Whether the WAL sender of our own stream waits for more WAL than is on disk, and how much that is. Needs nothing: the
-- sender is of the same role.
SELECT lower(a.wait_event) = 'walsenderwaitforwal' AS waits, pg_current_wal_flush_lsn()::text AS flushed
FROM pg_stat_activity AS a WHERE a.pid = %(pid)s::int
