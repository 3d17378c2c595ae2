-- How long the server waits before it starts a worker again that has ended in an error. Needs nothing.
SELECT setting::float8 / 1000 AS seconds FROM pg_settings WHERE name = 'wal_retrieve_retry_interval'
