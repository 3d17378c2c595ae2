-- The same for text, compared as the column is.
%(value)s::{{type}} COLLATE {{collation}}
