-- One column of a key has this value.
{{column}} = {{value}}
