-- Text in the order of its bytes in UTF-8, where the database has another encoding.
textsend({{column}})
