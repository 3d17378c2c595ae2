-- A number.
%(value)s
