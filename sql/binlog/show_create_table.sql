-- The definition of a table whose foreign keys' actions the information schema hides.
SHOW CREATE TABLE {{table}}
