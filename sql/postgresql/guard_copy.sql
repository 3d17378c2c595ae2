-- The same from a slot of this database that is there, from where that one was read to. Waits for nobody; what the other
-- slot keeps anyway is kept for both. Needs REPLICATION (or superuser) and the plugin test_decoding.
SELECT slot_name::text AS name, lsn::text AS lsn
FROM pg_copy_logical_replication_slot(%(slot)s::name, %(copy)s::name, false, 'test_decoding')
