-- Rows, each value printed by its type's own output function. Needs SELECT on the table.
COPY (SELECT {{columns}} FROM {{table}} {{where}} {{order}}) TO STDOUT
