-- The origin is not needed any more.
SELECT pg_replication_origin_session_reset();
SELECT pg_replication_origin_drop('replguard_repair')
