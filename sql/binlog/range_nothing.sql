-- No row: no column of the key may be NULL.
FALSE
