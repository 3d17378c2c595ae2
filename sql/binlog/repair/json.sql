-- A JSON document.
CAST({{text}} AS JSON)
