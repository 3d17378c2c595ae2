-- Logical slots of a database that have not confirmed a position.
SELECT slot_name, active FROM pg_replication_slots WHERE database = {{database}} AND slot_type = 'logical' AND NOT temporary AND (confirmed_flush_lsn < {{position}}::pg_lsn OR NOT active)
