-- No value.
{{column}} IS NULL
