-- The key that stands some rows further on. Needs SELECT on the table.
SELECT ''{{key}} AS word
FROM (SELECT {{columns}} FROM {{table}} {{where}} ORDER BY {{columns}} LIMIT 1 OFFSET {{rows}}) AS r
