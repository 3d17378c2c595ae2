-- The same with the row built twice: what the order of evaluation must not change.
CRC32({{row}}) * CRC32C({{row}})
