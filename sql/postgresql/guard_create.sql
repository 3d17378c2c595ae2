-- A slot that keeps the log of this database from now on, until it is dropped. Needs REPLICATION (or superuser) and the
-- plugin. Waits for every transaction that has written, of any database: see slot_deadline.
SELECT slot_name::text AS name, lsn::text AS lsn
FROM pg_create_logical_replication_slot(%(slot)s::name, %(plugin)s::name, false)
