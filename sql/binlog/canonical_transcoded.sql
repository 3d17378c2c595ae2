-- Text of a character set that UTF-8 does not tell in full: what became '?' has the bytes as stored behind it.
CONCAT(CAST({{text}} AS BINARY), IF(INSTR(CAST({{text}} AS BINARY), '?'), CONCAT(CAST(X'00' AS BINARY), LOWER(HEX({{column}}))), ''))
