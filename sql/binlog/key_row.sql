-- All columns of one key.
({{parts}})
