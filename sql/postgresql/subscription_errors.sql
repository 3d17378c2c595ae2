-- Version 14 does not count a subscription's errors.
SELECT NULL::bigint AS apply_errors, NULL::bigint AS sync_errors
