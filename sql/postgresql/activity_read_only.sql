-- Whether transactions are read-only where nobody says otherwise: by the database's own setting, else by the server's. Roles
-- that have a setting of their own are named, superusers beside them.
SELECT current_database()::text AS database,
       COALESCE((SELECT split_part(c.line, '=', 2)
                 FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase,
                      unnest(s.setconfig) AS c (line)
                 WHERE d.datname = current_database() AND s.setrole = 0 AND c.line LIKE 'default\_transaction\_read\_only=%'),
                (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only')) AS value,
       pg_is_in_recovery() AS standby,
       ARRAY(SELECT r.rolname::text
             FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole
             LEFT JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c (line)
             WHERE (d.datname = current_database() OR s.setdatabase = 0) AND r.rolcanlogin
               AND lower(c.line) IN ('default_transaction_read_only=off', 'default_transaction_read_only=false',
                                     'default_transaction_read_only=0', 'default_transaction_read_only=no')
             ORDER BY 1) AS exempt
