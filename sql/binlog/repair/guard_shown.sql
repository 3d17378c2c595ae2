-- A date or time by its text, which no sql_mode refuses.
CAST({{column}} AS CHAR) <=> {{value}}
