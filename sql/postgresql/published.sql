-- Tables named in publications. Version 14 knows neither schemas nor row filters nor column lists.
SELECT p.pubname::text AS publication, n.nspname::text AS schema, c.relname::text AS name,
       NULL::text AS row_filter, NULL::text[] AS columns
FROM pg_publication AS p JOIN pg_publication_rel AS r ON r.prpubid = p.oid
JOIN pg_class AS c ON c.oid = r.prrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.pubname::text = ANY (%(names)s::text[])
ORDER BY 1, 2, 3
