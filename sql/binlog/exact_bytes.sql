-- The bytes as stored, for character sets in which unlike bytes may give the same text.
CAST({{column}} AS BINARY)
