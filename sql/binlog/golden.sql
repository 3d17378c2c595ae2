-- The hashes of fixed rows, and what they must be.
SELECT {{hash}} AS hash, {{expected}} AS expected FROM ({{rows}}) AS fixed ORDER BY id
