-- Removes a database of a test and everybody in it.
DROP DATABASE IF EXISTS {{database}} WITH (FORCE)
