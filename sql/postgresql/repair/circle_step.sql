-- One of them.
{{part}} AS ({{text}})
