-- The WAL sender of a slot. Needs pg_monitor; without it all values are null.
SELECT r.application_name, r.state, r.sent_lsn::text AS sent, r.client_addr::text AS client,
       EXTRACT(EPOCH FROM r.replay_lag)::float8 AS replay_lag
FROM pg_stat_replication AS r WHERE r.pid = %(pid)s::int
