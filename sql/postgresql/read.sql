-- All rows, each value printed by its type's own output function. Needs SELECT on the table.
COPY (SELECT {{columns}} FROM {{table}}{{order}}) TO STDOUT
