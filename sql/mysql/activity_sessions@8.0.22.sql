-- What sessions and workers of replication do, and since when their transactions are open. Needs PROCESS.
SELECT p.ID AS id, PS_THREAD_ID(p.ID) AS thread, p.USER AS user, p.HOST AS host, p.COMMAND AS command, p.STATE AS state,
       LEFT(p.INFO, 400) AS statement, p.TIME AS seconds,
       TIMESTAMPDIFF(SECOND, t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS open_seconds,
       t.trx_rows_modified > 0 AS modified, t.trx_rows_modified > 0 OR t.trx_rows_locked > 0 AS writes,
       TIMESTAMPDIFF(SECOND, t.trx_wait_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS waits_seconds
FROM performance_schema.processlist AS p LEFT JOIN information_schema.INNODB_TRX AS t ON t.trx_mysql_thread_id = p.ID
WHERE p.ID <> CONNECTION_ID() AND p.COMMAND <> 'Daemon'
