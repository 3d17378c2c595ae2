-- How often a row stands in a table without a key.
SELECT COUNT(*) AS found FROM {{table}} WHERE {{guard}}
