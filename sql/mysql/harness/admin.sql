-- The admin of a server that was just made, over the socket.
SET sql_log_bin = 0;
CREATE USER root@'%' IDENTIFIED BY {{password}};
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
ALTER USER root@localhost IDENTIFIED BY {{password}};
