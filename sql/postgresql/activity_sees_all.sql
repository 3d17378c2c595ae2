-- Whether this user is shown what sessions of others do.
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees
