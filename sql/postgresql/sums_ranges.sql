-- Rows of some ranges of one table, and the sums of their hashes: planned once for all. Needs SELECT on the table.
SELECT "replguard ranges".place, s.rows, s.hashed, s.total, ROW({{lower}}) <= ROW({{upper}}) AS ordered
FROM (VALUES {{ranges}}) AS "replguard ranges" (place, {{bounds}})
CROSS JOIN LATERAL (
    SELECT count(*) AS rows, count(r.hash) AS hashed, coalesce(sum(r.hash), 0) AS total
    FROM (SELECT {{hash}} AS hash FROM {{table}} {{where}} OFFSET 0) AS r
) AS s
