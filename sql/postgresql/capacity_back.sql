-- What a subscription to this database needs: the WAL's level, how long slots are kept, and who may log in. -1 and 0 are
-- for no limit; the last setting is known from version 18 on. Needs nothing.
SELECT current_setting('wal_level') AS wal_level,
       (SELECT s.setting::bigint FROM pg_settings AS s WHERE s.name = 'max_slot_wal_keep_size') AS megabytes,
       (SELECT s.setting::double precision * CASE s.unit WHEN 'min' THEN 60 ELSE 1 END
        FROM pg_settings AS s WHERE s.name = 'idle_replication_slot_timeout') AS idle,
       EXISTS (SELECT FROM pg_roles AS r WHERE r.rolcanlogin AND r.rolreplication AND r.rolname <> current_user
                 AND NOT r.rolsuper) AS has_role,
       EXISTS (SELECT FROM pg_roles AS r WHERE r.rolcanlogin AND (r.rolreplication OR r.rolsuper)) AS has_login,
       EXISTS (SELECT FROM pg_publication AS p) AS publishes
