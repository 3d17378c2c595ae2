-- The rows that are published of a table (from version 15 on): the condition as the catalog prints it.
WHERE ({{condition}})
