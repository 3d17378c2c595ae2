-- Makes InnoDB flush its log now, not within the second: a binlog is forgotten only then.
SET SESSION sql_log_bin = 0;
CREATE OR REPLACE TABLE mysql.replguard_nudge (n INT) ENGINE = InnoDB;
DROP TABLE mysql.replguard_nudge;
