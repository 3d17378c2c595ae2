-- Text to the byte, whatever the column's collation calls equal.
{{column}} COLLATE "C" = {{value}}
