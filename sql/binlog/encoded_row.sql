-- A row as one binary string; a part that fails makes it NULL.
CONCAT({{parts}})
