-- Three roles for MariaDB >= 10.6, each with the least that its commands need: read, stream, control, each with what the one
-- before has. Never sent by replguard: run this yourself on each cluster, with the scope's database in place of `st` (a `_`
-- or `%` in its name is escaped with a backslash). Where accounts replicate, once, or with sql_log_bin = 0. What stands
-- behind `-- GRANT` is not needed for a verdict: the comment says what it makes better. What is granted on a database or a
-- table goes to replguard_read: a role that has other roles forgets their rights on *.* when it is given such a right, until
-- FLUSH PRIVILEGES (seen on 10.11).

-- read: init, policy show, status, filter audit, filter plan, filter export, scan -c, diff, diff --self-test.
CREATE ROLE IF NOT EXISTS replguard_read;

-- Without SELECT tables are hidden: no command gives a verdict.
GRANT SELECT ON `st`.* TO replguard_read;
-- Without SHOW VIEW diff cannot compare views.
GRANT SHOW VIEW ON `st`.* TO replguard_read;
-- Without TRIGGER diff cannot compare triggers, and where appliers run triggers no command gives a verdict.
GRANT TRIGGER ON `st`.* TO replguard_read;
-- Without EVENT filter audit cannot tell what the event scheduler writes, where it is on.
GRANT EVENT ON `st`.* TO replguard_read;
-- Without SELECT on mysql.proc (or, from 11.3 on, SHOW CREATE ROUTINE on the database) diff cannot compare routines.
GRANT SELECT ON mysql.proc TO replguard_read;
-- Without SLAVE MONITOR no link is seen, nor its filters.
GRANT SLAVE MONITOR ON *.* TO replguard_read;
-- Without BINLOG MONITOR it is not seen what the source keeps out of its binlog.
GRANT BINLOG MONITOR ON *.* TO replguard_read;
-- Without CREATE TEMPORARY TABLES there is no diff --self-test: its copies are seen by nobody else and no log holds them.
GRANT CREATE TEMPORARY TABLES ON `st`.* TO replguard_read;

-- Lets a comparison let go of each table as soon as it was read; without it an ALTER TABLE of a table that was read waits
-- until the comparison's snapshot ends. It also lets its owner purge binlogs, so it is not given without need:
-- GRANT BINLOG ADMIN ON *.* TO replguard_read;
-- Lets a comparison hold back while the server is busy, by how many statements run:
-- GRANT PROCESS ON *.* TO replguard_read;

-- Lets filter audit know which option files the server has read, and the budget of a pause how much room is left on the disk
-- of the binlog (with INSTALL SONAME 'disks'). It also lets its owner read files of the server:
-- GRANT FILE ON *.* TO replguard_read;
-- Tells who holds the operators' lock where that is another account (and the server's performance schema is on):
-- GRANT SELECT ON performance_schema.session_connect_attrs TO replguard_read;

-- stream: watch, gate, diff --trace; and diff tells what moved between its two views, without which it is `unaligned`.
CREATE ROLE IF NOT EXISTS replguard_stream;
GRANT replguard_read TO replguard_stream;

-- Without REPLICATION SLAVE the binlog cannot be read, as a replica reads it.
GRANT REPLICATION SLAVE ON *.* TO replguard_stream;
-- Without PROCESS gate is not shown transactions of other users.
GRANT PROCESS ON *.* TO replguard_stream;
-- Tells gate whether an account is there by which a replica can log in, for the way back (no password is readable by it):
-- GRANT SELECT (User, Host, Repl_slave_priv) ON mysql.user TO replguard_read;

-- control: pause, resume, filter apply, watch --on-leak pause.
CREATE ROLE IF NOT EXISTS replguard_control;
GRANT replguard_stream TO replguard_control;

-- Without REPLICATION SLAVE ADMIN no link is stopped or started, and no filter set.
GRANT REPLICATION SLAVE ADMIN ON *.* TO replguard_control;

-- Lets pause see every event that might start replication again, not those of the database alone:
-- GRANT EVENT ON *.* TO replguard_control;

-- A user has the role of its job as default role:
--   CREATE USER replguard@'10.0.%' IDENTIFIED BY '...';
--   GRANT replguard_read TO replguard@'10.0.%';
--   SET DEFAULT ROLE replguard_read FOR replguard@'10.0.%';
