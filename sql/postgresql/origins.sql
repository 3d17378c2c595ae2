-- All replication origins: a subscription's apply worker is pg_<oid>, an initial copy under way pg_<oid>_<relid>.
SELECT roident::int AS id, roname AS name FROM pg_replication_origin
