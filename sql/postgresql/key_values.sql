-- What one column of the keys has, as an array.
%(values)s::{{type}}[]
