-- A column as it is, or NULL as what no value is.
IFNULL({{column}}, CAST(X'FE' AS BINARY))
