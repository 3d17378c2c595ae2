-- Lets go of a guard slot, where it is there. Needs REPLICATION (or superuser).
SELECT pg_drop_replication_slot(s.slot_name)
FROM pg_replication_slots AS s
WHERE s.slot_name::text = %(slot)s AND s.database = current_database() AND NOT s.temporary
