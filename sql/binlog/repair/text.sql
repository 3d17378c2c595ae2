-- Text of printable characters.
_utf8mb4{{text}}
