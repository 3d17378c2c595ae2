-- The tables a subscription applies changes to, and how far their initial copy is (r: ready, s: synchronized).
SELECT n.nspname::text AS schema, c.relname::text AS name, r.srsubstate::text AS state
FROM pg_subscription_rel AS r JOIN pg_class AS c ON c.oid = r.srrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.srsubid = %(oid)s::oid
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
