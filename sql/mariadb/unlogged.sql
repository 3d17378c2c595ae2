-- Without this ROLLBACK TO SAVEPOINT keeps metadata locks (MariaDB); the connection writes nothing anyway. Needs
-- BINLOG ADMIN; a user without it makes an ALTER TABLE wait until the snapshot ends.
SET SESSION sql_log_bin = 0
