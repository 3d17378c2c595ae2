-- The last key.
SELECT {{columns}} FROM {{table}} {{within}} ORDER BY {{order}} LIMIT 1
