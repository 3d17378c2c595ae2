-- Subscriptions of this database (columns that every user may read). Version 16: origin, parallel streaming.
SELECT s.oid::bigint AS oid, s.subname::text AS name, pg_get_userbyid(s.subowner)::text AS owner,
       s.subenabled AS enabled, s.subslotname::text AS slot,
       s.subpublications AS publications, CASE s.substream WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel' ELSE 'off' END AS streaming,
       s.subtwophasestate <> 'd' AS two_phase, s.subdisableonerr AS disable_on_error, s.suborigin AS origin,
       NULLIF(s.subskiplsn, '0/0')::text AS skip_lsn
FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid
WHERE d.datname = current_database()
ORDER BY s.subname::text COLLATE "C"
