-- Text of a character set in which unlike bytes may give the same text has these bytes.
CAST({{column}} AS BINARY) = {{value}}
