-- The key that stands so many rows behind another.
SELECT {{columns}} FROM {{table}} {{within}} ORDER BY {{order}} LIMIT 1 OFFSET {{rows}}
