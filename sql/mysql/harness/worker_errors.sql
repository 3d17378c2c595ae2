-- What a worker could not apply: the status of the replica only says that there is something.
SELECT DISTINCT last_error_message FROM performance_schema.replication_applier_status_by_worker WHERE last_error_number <> 0
