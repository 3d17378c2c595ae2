-- Rows of one portion, and the sum of their hashes. The OFFSET has each hash made once. Needs SELECT on the table.
SELECT {{place}} AS place, count(*) AS rows, count(r.hash) AS hashed, coalesce(sum(r.hash), 0) AS total, {{ordered}} AS ordered
FROM (SELECT {{hash}} AS hash FROM {{table}} {{where}} OFFSET 0) AS r
