-- The hashes of fixed rows.
SELECT id, {{hash}} AS hash FROM ({{rows}}) AS fixed ORDER BY id
