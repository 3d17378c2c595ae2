-- What the holder of a lock said of itself when it connected: to others of its account everybody may read that.
SELECT ATTR_VALUE AS program FROM performance_schema.session_account_connect_attrs
WHERE PROCESSLIST_ID = %s AND ATTR_NAME = 'program_name'
