-- The same with a value that only IGNORE lets through: the error value of an ENUM.
UPDATE IGNORE {{table}} SET {{changes}} WHERE {{guard}} LIMIT 1;
