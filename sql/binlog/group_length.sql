-- How long the words of a portion may be in one value; beyond they are fetched row by row.
SET SESSION group_concat_max_len = CAST(LEAST(@@max_allowed_packet DIV 2, 16777216) AS UNSIGNED)
