-- The rows whose key is among some. Needs SELECT on the table.
COPY (SELECT {{columns}} FROM {{table}} WHERE ({{key}}) IN (SELECT * FROM unnest({{arrays}}))) TO STDOUT
