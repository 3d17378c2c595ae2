-- Who reads publications of this database: slots, and the command of a sender where it may be seen (pg_monitor).
SELECT s.slot_name::text AS slot, a.query AS command
FROM pg_replication_slots AS s LEFT JOIN pg_stat_activity AS a ON a.pid = s.active_pid
WHERE s.slot_type = 'logical' AND s.plugin = 'pgoutput' AND s.database = current_database() AND NOT s.temporary
ORDER BY s.slot_name::text COLLATE "C"
