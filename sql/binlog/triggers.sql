-- Triggers of the scope. A server shows them only to who has the TRIGGER privilege on their tables.
SELECT EVENT_OBJECT_SCHEMA AS schema_name, EVENT_OBJECT_TABLE AS table_name, TRIGGER_NAME AS name,
       ACTION_TIMING AS timing, EVENT_MANIPULATION AS manipulation, ACTION_STATEMENT AS body
FROM information_schema.TRIGGERS
WHERE EVENT_OBJECT_SCHEMA IN ({{schemas}})
ORDER BY EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME
