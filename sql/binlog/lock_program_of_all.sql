-- The same for every account. Needs SELECT on the table.
SELECT ATTR_VALUE AS program FROM performance_schema.session_connect_attrs
WHERE PROCESSLIST_ID = %s AND ATTR_NAME = 'program_name'
