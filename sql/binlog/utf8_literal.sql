-- Text by its bytes in UTF-8, so that no character needs care.
_utf8mb4 {{bytes}}
