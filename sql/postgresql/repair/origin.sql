-- What this session changes is marked as of an origin of its own: a subscription with origin = none leaves it out.
SELECT pg_replication_origin_create('replguard_repair') WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = 'replguard_repair');
SELECT pg_replication_origin_session_setup('replguard_repair')
