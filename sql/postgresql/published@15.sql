-- Tables named in publications, with row filter and column list; schemas named have no table name.
SELECT p.pubname::text AS publication, n.nspname::text AS schema, c.relname::text AS name,
       pg_get_expr(r.prqual, r.prrelid) AS row_filter,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM unnest(r.prattrs::int2[]) AS l (attnum)
        JOIN pg_attribute AS a ON a.attrelid = r.prrelid AND a.attnum = l.attnum) AS columns
FROM pg_publication AS p JOIN pg_publication_rel AS r ON r.prpubid = p.oid
JOIN pg_class AS c ON c.oid = r.prrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.pubname::text = ANY (%(names)s::text[])
UNION ALL
SELECT p.pubname::text, n.nspname::text, NULL, NULL, NULL
FROM pg_publication AS p JOIN pg_publication_namespace AS s ON s.pnpubid = p.oid
JOIN pg_namespace AS n ON n.oid = s.pnnspid
WHERE p.pubname::text = ANY (%(names)s::text[])
ORDER BY 1, 2, 3
