-- How far our own temporary slot was read, and whether it still can be.
SELECT confirmed_flush_lsn::text AS lsn, wal_status FROM pg_replication_slots WHERE slot_name::text = %(copy)s
