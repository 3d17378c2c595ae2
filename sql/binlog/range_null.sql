-- A key column that has no value.
{{column}} IS NULL
