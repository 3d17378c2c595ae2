-- The row of no columns.
CAST(X'FF' AS BINARY)
