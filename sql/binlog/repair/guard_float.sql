-- A FLOAT or DOUBLE by its bits.
CAST({{column}} AS DOUBLE) <=> {{value}}
