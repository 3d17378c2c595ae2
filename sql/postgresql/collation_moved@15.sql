-- Whether a collation's library has changed since indexes were built by it: these may miss rows then.
SELECT CASE WHEN c.collprovider = 'd' THEN coalesce(d.datcollversion <> pg_database_collation_actual_version(d.oid), false)
            ELSE coalesce(c.collversion <> pg_collation_actual_version(c.oid), false) END AS moved
FROM pg_collation AS c, pg_database AS d
WHERE c.oid = %(collation)s::oid AND d.datname = current_database()
