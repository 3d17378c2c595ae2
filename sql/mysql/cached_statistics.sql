-- Back to what the server does by default.
SET SESSION information_schema_stats_expiry = DEFAULT
