-- Two checksums of 32 bits, multiplied. The row is built once: the left factor is worked out first.
CRC32(@replguard_row := {{row}}) * CRC32C(@replguard_row)
