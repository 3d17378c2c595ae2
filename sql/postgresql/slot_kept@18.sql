-- What a slot keeps of the WAL, how much may still be written before it is lost, and why not more. Needs nothing. How much
-- of the disk is free the server does not tell. Version 18: slots that nobody reads may be given up after a time.
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS written,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS kept, s.safe_wal_size, s.wal_status,
       current_setting('max_slot_wal_keep_size') AS most,
       (SELECT extract(epoch FROM t.most - (now() - s.inactive_since))
        FROM (SELECT current_setting('idle_replication_slot_timeout')::interval AS most) AS t
        WHERE t.most > interval '0' AND s.inactive_since IS NOT NULL)::double precision AS idle_left,
       (SELECT w.wal_bytes::double precision / nullif(extract(epoch FROM now() - w.stats_reset), 0) FROM pg_stat_wal AS w)::double precision AS mean,
       (SELECT extract(epoch FROM now() - w.stats_reset) FROM pg_stat_wal AS w)::double precision AS mean_seconds
FROM pg_replication_slots AS s
WHERE s.slot_name::text = %(slot)s AND s.slot_type = 'logical' AND NOT s.temporary
