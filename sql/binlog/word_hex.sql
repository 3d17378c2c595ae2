-- Text and bytes in letters that separate nothing.
HEX({{value}})
