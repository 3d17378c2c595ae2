-- As it was.
ALTER TABLE {{table}} ENABLE TRIGGER {{trigger}}
