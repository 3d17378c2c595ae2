-- As it was.
ALTER TABLE {{table}} ENABLE ALWAYS TRIGGER {{trigger}}
