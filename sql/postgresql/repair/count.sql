-- How often a row stands in a table without a key. Needs SELECT on the table.
SELECT count(*) AS found FROM {{table}} WHERE {{guard}}
