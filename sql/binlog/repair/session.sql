-- The settings under which the values were read and are written: text as UTF-8, times as UTC, zero as zero, nothing cut.
SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10;
SET @replguard = NULL, @replguard_log = @@SESSION.sql_log_bin, @replguard_keys = @@SESSION.foreign_key_checks;
