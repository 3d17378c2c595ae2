-- Padded text in the order of its bytes, padding included.
bpcharsend({{column}})
