-- A key column that has a value.
{{column}} IS NOT NULL
