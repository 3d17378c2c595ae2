-- Pins what changes the text of a value or how long a statement may wait for others, on every connection.
-- The driver itself sends SET NAMES utf8mb4 once more when it connects, and SET AUTOCOMMIT = 1 where it is off.
SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION', lock_wait_timeout = 10, innodb_lock_wait_timeout = 10, autocommit = 1
