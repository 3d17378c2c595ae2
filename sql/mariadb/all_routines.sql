-- Fails for who may not read the table of routines, and so is shown only some of them.
SELECT db FROM mysql.proc LIMIT 0
