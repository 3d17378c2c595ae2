-- Logical slots of this database that can be copied: the one that was read furthest first.
SELECT s.slot_name::text AS name, s.plugin::text AS plugin, s.confirmed_flush_lsn::text AS confirmed
FROM pg_replication_slots AS s
WHERE s.slot_type = 'logical' AND s.database = current_database() AND NOT s.temporary
  AND s.restart_lsn IS NOT NULL AND s.confirmed_flush_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
ORDER BY s.confirmed_flush_lsn DESC, s.slot_name
