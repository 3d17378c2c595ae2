-- The version of TLS of this connection; NULL where it has none. Everybody sees this of their own connection.
SELECT (SELECT s.version FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid() AND s.ssl) AS version
