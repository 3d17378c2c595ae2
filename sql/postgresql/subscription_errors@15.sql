-- How often a subscription's workers ended in an error since the counters were reset. Needs nothing.
SELECT apply_error_count AS apply_errors, sync_error_count AS sync_errors
FROM pg_stat_subscription_stats WHERE subid = %(oid)s::oid
