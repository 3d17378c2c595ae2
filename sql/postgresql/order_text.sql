-- Text in the order of its bytes.
{{column}} COLLATE "C"
