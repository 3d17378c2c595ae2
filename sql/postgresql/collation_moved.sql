-- Whether a collation's library has changed since indexes were built by it: these may miss rows then. Which library the
-- database's own collation was made with is not known before 15.
SELECT coalesce(c.collversion <> pg_collation_actual_version(c.oid), false) AS moved
FROM pg_collation AS c WHERE c.oid = %(collation)s::oid
