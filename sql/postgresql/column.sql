-- A column as it is.
{{column}}
