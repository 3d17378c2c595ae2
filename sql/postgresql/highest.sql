-- The last key. Needs SELECT on the table.
SELECT ''{{key}} AS word
FROM (SELECT {{columns}} FROM {{table}} {{where}} ORDER BY {{order}} LIMIT 1) AS r
