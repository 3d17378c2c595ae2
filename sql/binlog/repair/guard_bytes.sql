-- Bytes as stored.
CAST({{column}} AS BINARY) <=> {{value}}
