-- Guard slots of this database, whoever made them. Needs nothing.
SELECT s.slot_name::text AS name
FROM pg_replication_slots AS s
WHERE s.slot_type = 'logical' AND s.database = current_database() AND NOT s.temporary
  AND starts_with(s.slot_name::text, 'replguard_guard_')
ORDER BY s.slot_name
