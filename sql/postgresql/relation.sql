-- The table as the snapshot's own catalog knows it.
SELECT c.oid::bigint AS oid, c.relkind::text AS kind
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = %(schema)s AND c.relname::text = %(name)s
