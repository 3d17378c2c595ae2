-- A FLOAT or DOUBLE that is 0 or -0, which compare as equal.
CAST(CAST({{column}} AS DOUBLE) AS CHAR) <=> {{value}}
