-- Settings by which an application gets other results, and the collation of this database. As they are for new sessions
-- of this user, where the session has not pinned them.
SELECT s.name::text AS name,
       CASE WHEN s.name IN ('DateStyle', 'TimeZone', 'IntervalStyle', 'bytea_output', 'extra_float_digits', 'lc_monetary',
                            'xmlbinary', 'row_security', 'default_transaction_read_only', 'search_path',
                            'statement_timeout', 'lock_timeout') THEN s.reset_val
            ELSE s.setting END::text AS value
FROM pg_settings AS s WHERE s.name = ANY (%(names)s::text[])
UNION ALL
SELECT 'collation of the database', d.datcollate || ' ' || d.datctype
FROM pg_database AS d WHERE d.datname = current_database()
UNION ALL
SELECT 'extension ' || e.extname::text, e.extversion FROM pg_extension AS e
