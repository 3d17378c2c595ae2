-- The binlog files that are still there, oldest first.
SHOW BINARY LOGS
