-- A table name without the tables that inherit from it.
ONLY {{table}}
