-- The server's clock, in seconds. Needs nothing.
SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 AS now
