-- What one column of a range's bound has.
%(value)s::{{type}}
