-- Locks on tables and on the whole server that sessions hold, with the tables that they write to. Needs SELECT on
-- performance_schema.metadata_locks.
SELECT OWNER_THREAD_ID AS thread, OBJECT_TYPE AS kind, OBJECT_SCHEMA AS table_schema, OBJECT_NAME AS table_name,
       LOCK_TYPE AS mode
FROM performance_schema.metadata_locks
WHERE LOCK_STATUS = 'GRANTED' AND OBJECT_TYPE IN ('TABLE', 'GLOBAL', 'COMMIT', 'BACKUP LOCK')
  AND LOCK_TYPE NOT IN ('SHARED_READ', 'INTENTION_EXCLUSIVE')
