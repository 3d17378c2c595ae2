-- Without this MySQL tells an AUTO_INCREMENT that may be a day old.
SET SESSION information_schema_stats_expiry = 0
