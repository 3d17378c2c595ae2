-- Logical slots of this database but replguard's own, and whether somebody reads them.
SELECT s.slot_name::text AS name, s.plugin::text AS plugin, s.active
FROM pg_replication_slots AS s
WHERE s.slot_type = 'logical' AND s.database = current_database() AND s.slot_name NOT LIKE 'replguard\_%'
  AND NOT s.temporary
ORDER BY 1
