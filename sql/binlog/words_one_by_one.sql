-- Key and hash of each row.
SELECT {{parts}} FROM {{table}} {{within}}
