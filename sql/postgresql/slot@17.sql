-- A logical slot of this database by its name, on the source. Needs nothing. Version 17: why a slot was invalidated.
SELECT s.plugin::text AS plugin, s.database = current_database() AS here, s.active, s.active_pid, s.two_phase,
       s.restart_lsn::text AS restart_lsn, s.confirmed_flush_lsn::text AS confirmed, s.wal_status, s.safe_wal_size,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS retained_bytes, pg_current_wal_lsn()::text AS wal_end,
       s.wal_status = 'lost' OR s.invalidation_reason IS NOT NULL AS lost
FROM pg_replication_slots AS s
WHERE s.slot_name::text = %(slot)s AND s.slot_type = 'logical' AND NOT s.temporary
