-- The slots of one database and the process that uses each.
SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = {{database}}
