-- Bytes in a column of ASCII that are none.
CONVERT({{bytes}} USING ascii)
