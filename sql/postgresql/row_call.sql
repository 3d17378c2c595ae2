-- A value as the bytes that the type's own function makes of it.
{{function}}({{column}})
