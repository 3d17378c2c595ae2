-- Who the server is. Needs nothing (EXECUTE on pg_control_system() is public unless somebody took it away).
SELECT s.system_identifier::text AS system_identifier,
       CASE WHEN pg_is_in_recovery() THEN c.timeline_id
            ELSE ('x' || lpad(substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), 8, '0'))::bit(32)::int END AS timeline,
       current_database()::text AS database,
       current_user::text AS role,
       pg_is_in_recovery() AS in_recovery,
       current_setting('server_version') AS version, current_setting('server_version_num') AS version_num,
       version() AS build,
       current_setting('server_encoding') AS encoding,
       current_setting('wal_level') AS wal_level,
       current_setting('track_commit_timestamp') AS track_commit_timestamp
FROM pg_control_system() AS s, pg_control_checkpoint() AS c
