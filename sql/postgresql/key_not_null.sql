-- A column of the key is not NULL.
{{column}} IS DISTINCT FROM NULL
