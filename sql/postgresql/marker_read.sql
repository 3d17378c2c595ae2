-- The token of the row that was written last. Needs SELECT on the table.
SELECT token::text AS token FROM {{table}} WHERE id = 1
