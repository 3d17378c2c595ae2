-- The transactions of the rows that are seen, between the oldest one that is open and the next one. Needs SELECT on the table.
SELECT DISTINCT xmin::text AS transaction FROM {{table}}
WHERE ((xmin::text::bigint - {{least}}) & 4294967295) < {{count}} AND xmin::text::bigint > 2
