-- The text of FLOAT drops digits; as DOUBLE it is the shortest text that gives the same bits.
CAST({{column}} AS DOUBLE)
