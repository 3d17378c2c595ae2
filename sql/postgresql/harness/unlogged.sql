-- What this session changes does not replicate over links with origin = none.
SELECT pg_replication_origin_session_setup({{origin}})
