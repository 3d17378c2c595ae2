-- Makes an origin that marks changes as not to be passed on, if it is not there.
SELECT pg_replication_origin_create({{origin}}) WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = {{origin}})
