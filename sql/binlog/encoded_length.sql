-- How many bytes a value has.
LENGTH({{value}})
