-- A table as a rule names it.
{{database}}.{{table}}
