-- Text by its bytes, whatever its collation takes for equal.
{{value}} COLLATE "C"
