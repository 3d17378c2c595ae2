-- What each publication of this database publishes, by tables. Needs nothing.
SELECT p.pubname::text AS publication, p.schemaname::text AS schema, p.tablename::text AS name
FROM pg_publication_tables AS p ORDER BY 1, 2, 3
