-- A temporary copy of a slot that shows every change of the database, published or not, as text.
-- Needs REPLICATION (or superuser) and the plugin test_decoding. Waits for nobody.
SELECT slot_name::text AS name, lsn::text AS lsn
FROM pg_copy_logical_replication_slot(%(slot)s::name, %(copy)s::name, true, 'test_decoding')
