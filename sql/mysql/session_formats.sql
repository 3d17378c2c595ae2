-- Sessions of clients, but this one, that log their changes as statements.
SELECT CONCAT(t.PROCESSLIST_USER, '@', t.PROCESSLIST_HOST) AS account, v.VARIABLE_VALUE AS format, COUNT(*) AS sessions
FROM performance_schema.variables_by_thread AS v
JOIN performance_schema.threads AS t ON t.THREAD_ID = v.THREAD_ID
WHERE v.VARIABLE_NAME = 'binlog_format' AND v.VARIABLE_VALUE <> 'ROW' AND t.TYPE = 'FOREGROUND'
  AND t.PROCESSLIST_ID <> CONNECTION_ID() AND t.PROCESSLIST_USER IS NOT NULL
GROUP BY account, format
ORDER BY account, format
