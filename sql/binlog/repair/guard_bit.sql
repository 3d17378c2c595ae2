-- A BIT by its number.
CAST({{column}} AS UNSIGNED) <=> {{value}}
