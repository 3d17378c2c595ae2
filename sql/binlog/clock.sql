-- The server's clock, in seconds. Needs nothing.
SELECT CAST(UNIX_TIMESTAMP(NOW(6)) AS CHAR CHARACTER SET utf8mb4) AS now
