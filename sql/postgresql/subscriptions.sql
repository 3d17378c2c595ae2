-- Subscriptions of this database (columns that every user may read). Version 14: streaming is a flag.
SELECT s.oid::bigint AS oid, s.subname::text AS name, pg_get_userbyid(s.subowner)::text AS owner,
       s.subenabled AS enabled, s.subslotname::text AS slot,
       s.subpublications AS publications, CASE WHEN s.substream THEN 'on' ELSE 'off' END AS streaming,
       false AS two_phase, false AS disable_on_error, 'any' AS origin, NULL::text AS skip_lsn
FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid
WHERE d.datname = current_database()
ORDER BY s.subname::text COLLATE "C"
