-- Three roles for MySQL >= 8.0, each with the least that its commands need. Never sent by replguard: run them yourself,
-- with the scope's database in place of `st` (a `_` or `%` in its name is escaped with a backslash), once on each cluster.
-- Where accounts replicate, run them with sql_log_bin = 0 or on one side only.

-- read: status, policy show, filter audit, diff. REPLICATION CLIENT shows channels, their filters, and what the source
-- keeps out of its binlog; the two tables tell single workers' errors and how a filter was set. TRIGGER and EVENT
-- are needed to be shown triggers and events at all; without them the audit says what it misses and is inconclusive. So it is
-- with SHOW VIEW and SHOW_ROUTINE (from 8.0.20 on; before, SELECT on *.*): diff compares views and routines.
CREATE ROLE IF NOT EXISTS replguard_read;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `st`.* TO replguard_read;
-- diff --self-test: temporary copies, which nobody else sees and no log holds.
GRANT CREATE TEMPORARY TABLES ON `st`.* TO replguard_read;
GRANT REPLICATION CLIENT ON *.* TO replguard_read;
GRANT SHOW_ROUTINE ON *.* TO replguard_read;
GRANT SELECT ON performance_schema.replication_applier_status_by_worker TO replguard_read;
GRANT SELECT ON performance_schema.replication_applier_filters TO replguard_read;

-- With PROCESS a comparison sees how many statements run, and can hold back while the server is busy.
-- GRANT PROCESS ON *.* TO replguard_read;

-- stream: watch; and diff, to tell what moved between its two views: without it a comparison is called unaligned. Reads
-- the binlog as a replica does.
CREATE ROLE IF NOT EXISTS replguard_stream;
GRANT replguard_read TO replguard_stream;
GRANT REPLICATION SLAVE ON *.* TO replguard_stream;

-- control: pause, resume, filter apply. Stops and starts replication.
CREATE ROLE IF NOT EXISTS replguard_control;
GRANT replguard_stream TO replguard_control;
GRANT REPLICATION_SLAVE_ADMIN ON *.* TO replguard_control;

-- A user has the role of its job as default role:
--   CREATE USER replguard@'10.0.%' IDENTIFIED BY '...' DEFAULT ROLE replguard_read;
