-- NULL of the column as what no value is; a value that cannot be worked out stays NULL.
IF({{column}} IS NULL, CAST(X'FE' AS BINARY), {{value}})
