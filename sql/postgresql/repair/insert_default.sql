-- A row of generated columns alone.
INSERT INTO {{table}} DEFAULT VALUES RETURNING 1
