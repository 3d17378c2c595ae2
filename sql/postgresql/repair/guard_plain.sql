-- A type whose values are equal only if they are the same.
{{column}} = {{value}}
