-- No row.
false
