-- Nothing of what this session does is logged. Needs BINLOG ADMIN (MariaDB), SESSION_VARIABLES_ADMIN (MySQL).
SET SESSION sql_log_bin = 0
