-- Rows of a table, every column in its exact form, in the order of its key.
SELECT {{columns}} FROM {{table}} {{within}} ORDER BY {{order}}
