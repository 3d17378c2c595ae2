-- Three roles for MySQL >= 8.0, each with the least that its commands need: read, stream, control, each with what the one
-- before has. Never sent by replguard: run this yourself on each cluster, with the scope's database in place of `st` (a `_`
-- or `%` in its name is escaped with a backslash). Where accounts replicate, once, or with sql_log_bin = 0. What stands
-- behind `-- GRANT` is not needed for a verdict: the comment says what it makes better.

-- read: init, policy show, status, filter audit, filter plan, filter export, scan -c, diff, diff --self-test.
CREATE ROLE IF NOT EXISTS replguard_read;

-- Without SELECT tables are hidden: no command gives a verdict.
GRANT SELECT ON `st`.* TO replguard_read;
-- Without SHOW VIEW diff cannot compare views.
GRANT SHOW VIEW ON `st`.* TO replguard_read;
-- Without TRIGGER diff cannot compare triggers.
GRANT TRIGGER ON `st`.* TO replguard_read;
-- Without EVENT filter audit cannot tell what the event scheduler writes, where it is on.
GRANT EVENT ON `st`.* TO replguard_read;
-- Without SHOW_ROUTINE (before 8.0.20: SELECT on *.*) diff cannot compare routines.
GRANT SHOW_ROUTINE ON *.* TO replguard_read;
-- Without REPLICATION CLIENT no link is seen, and not what the source keeps out of its binlog.
GRANT REPLICATION CLIENT ON *.* TO replguard_read;
-- Without CREATE TEMPORARY TABLES there is no diff --self-test: its copies are seen by nobody else and no log holds them.
GRANT CREATE TEMPORARY TABLES ON `st`.* TO replguard_read;

-- Tells whether a filter comes from the option file or will be lost at a restart:
-- GRANT SELECT ON performance_schema.replication_applier_filters TO replguard_read;
-- Tells which rules for all channels come back at a restart:
-- GRANT SELECT ON performance_schema.replication_applier_global_filters TO replguard_read;
-- Tell which sessions log their changes as statements:
-- GRANT SELECT ON performance_schema.variables_by_thread TO replguard_read;
-- GRANT SELECT ON performance_schema.threads TO replguard_read;
-- Tells the errors of single workers, beside the last one of the link:
-- GRANT SELECT ON performance_schema.replication_applier_status_by_worker TO replguard_read;
-- Lets a comparison hold back while the server is busy, by how many statements run:
-- GRANT PROCESS ON *.* TO replguard_read;

-- stream: watch, gate, diff --trace; and diff tells what moved between its two views, without which it is `unaligned`.
CREATE ROLE IF NOT EXISTS replguard_stream;
GRANT replguard_read TO replguard_stream;

-- Without REPLICATION SLAVE the binlog cannot be read, as a replica reads it.
GRANT REPLICATION SLAVE ON *.* TO replguard_stream;
-- Without PROCESS gate is not shown transactions of other users.
GRANT PROCESS ON *.* TO replguard_stream;
-- Without XA_RECOVER_ADMIN gate is not shown prepared transactions.
GRANT XA_RECOVER_ADMIN ON *.* TO replguard_stream;
-- Without SELECT on performance_schema.metadata_locks gate is not shown who holds locks on tables or on the whole server.
-- Where the clone plugin is installed, it needs SELECT on performance_schema.clone_status too.
GRANT SELECT ON performance_schema.metadata_locks TO replguard_stream;
-- Tells gate whether an account is there by which a replica can log in, for the way back (no password is readable by it):
-- GRANT SELECT (User, Host, Repl_slave_priv) ON mysql.user TO replguard_stream;

-- control: pause, resume, filter apply, watch --on-leak pause.
CREATE ROLE IF NOT EXISTS replguard_control;
GRANT replguard_stream TO replguard_control;

-- Without REPLICATION_SLAVE_ADMIN no link is stopped or started, and no filter set.
GRANT REPLICATION_SLAVE_ADMIN ON *.* TO replguard_control;

-- Lets pause keep the links stopped over a restart of the server, and resume take that back; without it pause says that a
-- restart starts them (pause.fragile):
-- GRANT SYSTEM_VARIABLES_ADMIN, PERSIST_RO_VARIABLES_ADMIN ON *.* TO replguard_control;
-- Tells whether a replication group starts the channel by itself:
-- GRANT SELECT ON performance_schema.replication_connection_configuration TO replguard_control;
-- Lets pause see every event that might start replication again, not those of the database alone:
-- GRANT EVENT ON *.* TO replguard_control;
-- Tells who holds the operators' lock where that is another account:
-- GRANT SELECT ON performance_schema.session_connect_attrs TO replguard_control;

-- A user has the role of its job as default role:
--   CREATE USER replguard@'10.0.%' IDENTIFIED BY '...' DEFAULT ROLE replguard_read;
