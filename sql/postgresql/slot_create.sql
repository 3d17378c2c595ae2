-- A temporary slot that shows every change of the database from now on. Needs REPLICATION (or superuser) and the plugin
-- test_decoding. Waits for every transaction that has written, of any database: see slot_deadline.
SELECT slot_name::text AS name, lsn::text AS lsn
FROM pg_create_logical_replication_slot(%(slot)s::name, 'test_decoding', true)
