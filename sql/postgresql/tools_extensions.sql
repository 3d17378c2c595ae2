-- Extensions that replicate, or switch servers over, beside what replguard looks at.
SELECT e.extname::text AS name
FROM pg_extension AS e
WHERE e.extname IN ('pglogical', 'bdr', 'spock', 'repmgr', 'pgautofailover', 'pgactive')
ORDER BY 1
