-- No value. IS NULL would also hold for a composite of nothing but NULLs.
{{column}} IS NOT DISTINCT FROM NULL
