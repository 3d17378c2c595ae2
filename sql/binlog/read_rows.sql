-- Rows of a table, every column in its exact form.
SELECT {{columns}} FROM {{table}} {{within}}
