-- Ends whoever uses a slot of a database.
SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = {{database}} AND active
