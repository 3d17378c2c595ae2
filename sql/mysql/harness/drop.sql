-- Removes a database of a test.
DROP DATABASE IF EXISTS {{database}}
