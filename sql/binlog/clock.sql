-- The server's clock.
SELECT CAST(UNIX_TIMESTAMP() AS SIGNED) AS now
