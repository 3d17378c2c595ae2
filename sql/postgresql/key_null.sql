-- A column of the key is NULL itself (not a composite of NULLs).
{{column}} IS NOT DISTINCT FROM NULL
