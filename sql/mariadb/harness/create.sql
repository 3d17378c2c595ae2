-- A database of a test.
CREATE DATABASE {{database}}
