-- The replica ignores these tables. MariaDB wants the connection stopped for that.
STOP SLAVE;
SET GLOBAL replicate_ignore_table = {{tables}};
START SLAVE
