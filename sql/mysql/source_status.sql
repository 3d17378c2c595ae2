-- The end of the binlog, and what is kept out of it.
SHOW MASTER STATUS
