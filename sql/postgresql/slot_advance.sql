-- Move our own temporary slot on without reading.
SELECT end_lsn::text AS lsn FROM pg_replication_slot_advance(%(copy)s::name, %(lsn)s::pg_lsn)
