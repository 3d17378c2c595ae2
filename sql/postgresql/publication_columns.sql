-- The columns that are published of a table (from version 15 on).
({{columns}})
