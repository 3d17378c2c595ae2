-- Text as the bytes of it in UTF-8 (the client's encoding).
textsend({{value}})
