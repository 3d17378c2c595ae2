-- Scheduled events of all databases in which the user has the EVENT privilege: elsewhere a server shows none.
SELECT EVENT_SCHEMA AS schema_name, EVENT_NAME AS name, EVENT_DEFINITION AS body, STATUS AS status, SQL_MODE AS sql_mode
FROM information_schema.EVENTS
ORDER BY EVENT_SCHEMA, EVENT_NAME
