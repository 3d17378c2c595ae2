-- Removes the slots of a database that nobody uses.
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = {{database}} AND NOT active
