-- Which rows of the table.
WHERE {{condition}}
