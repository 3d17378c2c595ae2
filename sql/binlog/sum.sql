-- The rows of one portion and the sum of their hashes; a row without a hash adds 2 to the power of 128.
SELECT {{number}} AS portion_number, COUNT(*) AS row_count, SUM(IFNULL({{hash}}, 340282366920938463463374607431768211456)) AS total FROM {{table}} {{within}}
