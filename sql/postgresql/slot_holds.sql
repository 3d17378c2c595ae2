-- What our own temporary slot alone holds back of the WAL, in bytes: beyond what any other slot needs anyway. Also
-- whether the server would take us for a synchronous standby.
SELECT o.wal_status, o.restart_lsn::text AS restart_lsn,
       GREATEST(pg_wal_lsn_diff(LEAST(pg_current_wal_lsn(), (SELECT min(r.restart_lsn) FROM pg_replication_slots AS r
                                                              WHERE r.slot_name <> o.slot_name AND NOT r.temporary)),
                                o.restart_lsn), 0)::bigint AS held,
       current_setting('synchronous_standby_names') AS synchronous
FROM pg_replication_slots AS o WHERE o.slot_name::text = %(slot)s
