-- A word a row, without spaces: its hash and its key. Needs SELECT on the table.
SELECT count(*) AS rows, string_agg(r.word, ' ') AS words, {{ordered}} AS ordered
FROM (SELECT to_hex({{hash}}){{key}} AS word FROM {{table}} {{where}} OFFSET 0) AS r
