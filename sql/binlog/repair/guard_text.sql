-- Text to the byte: a collation calls more equal than is.
CAST(CONVERT({{column}} USING utf8mb4) AS BINARY) <=> CAST({{value}} AS BINARY)
