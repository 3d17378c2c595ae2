-- Text of a character set other than those that have one UTF-8 text for each value, by the bytes of that text.
CAST(CONVERT({{column}} USING utf8mb4) AS BINARY) = {{value}}
