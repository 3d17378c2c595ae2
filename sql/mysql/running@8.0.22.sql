-- How many clients' statements run now, and whether the list has the one that asks.
SELECT SUM(ID <> CONNECTION_ID()) AS others, SUM(ID = CONNECTION_ID()) AS own
FROM performance_schema.processlist
WHERE COMMAND IN ('Query', 'Execute', 'Prepare', 'Fetch', 'Bulk') AND USER NOT IN ('system user', 'event_scheduler')
