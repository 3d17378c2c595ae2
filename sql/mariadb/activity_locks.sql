-- Locks on tables and on the whole server that sessions hold, with the tables that they write to. Needs the plugin
-- metadata_lock_info.
SELECT THREAD_ID AS thread, LOCK_TYPE AS kind, TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, LOCK_MODE AS mode
FROM information_schema.METADATA_LOCK_INFO
WHERE LOCK_TYPE IN ('Table metadata lock', 'Backup lock')
  AND LOCK_MODE NOT IN ('MDL_SHARED_READ', 'MDL_INTENTION_EXCLUSIVE')
