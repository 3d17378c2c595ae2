-- UTF-8 holds neither FE nor FF: so NULL is unlike every text, and FF ends each.
{{value}}, CAST(X'FF' AS BINARY)
