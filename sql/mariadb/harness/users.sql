-- The user of replguard with what every command needs, and the user of the replication between the two servers.
SET sql_log_bin = 0;
CREATE OR REPLACE USER replguard@'%' IDENTIFIED BY {{password}};
GRANT SELECT, CREATE TEMPORARY TABLES, PROCESS, RELOAD, SHOW DATABASES, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR, REPLICATION SLAVE ADMIN, BINLOG ADMIN, CONNECTION ADMIN ON *.* TO replguard@'%';
CREATE OR REPLACE USER repl@'%' IDENTIFIED BY {{password}};
GRANT REPLICATION SLAVE ON *.* TO repl@'%';
