-- Prepared transactions of this database.
SELECT p.gid, p.owner::text AS role, EXTRACT(EPOCH FROM clock_timestamp() - p.prepared)::float8 AS seconds,
       quote_literal(p.gid) AS literal
FROM pg_prepared_xacts AS p
WHERE p.database = current_database()
ORDER BY p.prepared
