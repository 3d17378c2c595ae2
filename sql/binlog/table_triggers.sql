-- Triggers of the scope with what they run under. A server shows them only to who has the TRIGGER privilege.
SELECT EVENT_OBJECT_SCHEMA AS schema_name, EVENT_OBJECT_TABLE AS table_name, TRIGGER_NAME AS name,
       ACTION_TIMING AS timing, EVENT_MANIPULATION AS manipulation, ACTION_ORDER AS place, ACTION_STATEMENT AS body,
       SQL_MODE AS sql_mode, DEFINER AS definer, COLLATION_CONNECTION AS collation_name
FROM information_schema.TRIGGERS
WHERE EVENT_OBJECT_SCHEMA IN ({{schemas}})
