-- Which transactions run, and which of them wait to be acknowledged by a synchronous standby: those are in the WAL, and
-- perhaps at a subscriber already, and nobody here sees them yet. What other users' sessions do is told to members of
-- pg_read_all_stats alone; a prepared transaction that is being committed does not tell its number.
SELECT current_setting('synchronous_standby_names') <> '' AS synchronous,
       pg_current_snapshot()::text AS snapshot,
       ARRAY(SELECT a.backend_xid::text FROM pg_stat_activity AS a
             WHERE a.wait_event = 'SyncRep' AND a.backend_xid IS NOT NULL) AS waiting,
       ARRAY(SELECT l.transactionid::text FROM pg_locks AS l
             WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted) AS running,
       EXISTS (SELECT FROM pg_stat_activity AS a
               WHERE (a.wait_event = 'SyncRep' AND a.backend_xid IS NULL)
                  OR a.query = '<insufficient privilege>') AS untold
