-- Where a subscription says that it connects to. Needs superuser, or GRANT SELECT (subconninfo) ON pg_subscription.
SELECT s.subconninfo AS conninfo FROM pg_subscription AS s WHERE s.oid = %(oid)s::oid
