-- Errors of single applier workers, which the status of a channel may not repeat.
SELECT CHANNEL_NAME AS channel, WORKER_ID AS worker, LAST_ERROR_NUMBER AS number, LAST_ERROR_MESSAGE AS message
FROM performance_schema.replication_applier_status_by_worker
WHERE LAST_ERROR_NUMBER <> 0
