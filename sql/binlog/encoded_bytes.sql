-- Bytes behind their number.
{{length}}, CAST(X'FF' AS BINARY), {{value}}
