-- The replication origins of a subscription: of its apply worker, and of initial copies still under way.
SELECT roident::int AS id, roname AS name FROM pg_replication_origin
WHERE roname = 'pg_' || %(oid)s::text OR roname ~ ('^pg_' || %(oid)s::text || '_[0-9]+$')
