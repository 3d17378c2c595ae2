-- A row that differs, if it is still what it was.
UPDATE {{table}} SET {{changes}} WHERE {{guard}} LIMIT 1;
