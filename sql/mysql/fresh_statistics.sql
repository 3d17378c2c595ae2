-- Without this MySQL tells an AUTO_INCREMENT, or how large a table is, that may be a day old.
SET SESSION information_schema_stats_expiry = 0
