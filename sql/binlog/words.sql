-- Key and hash of each row, all in one value; a row without a hash, and what is too long, are left out of it.
SELECT COUNT(*) AS row_count, GROUP_CONCAT({{parts}}, ';' SEPARATOR '') AS words FROM {{table}} {{within}}
