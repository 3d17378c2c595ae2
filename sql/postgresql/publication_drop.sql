-- Remove a publication of our own.
DROP PUBLICATION IF EXISTS {{publication}}
