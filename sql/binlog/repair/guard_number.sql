-- A number, or a value of which equal means the same.
{{column}} <=> {{value}}
