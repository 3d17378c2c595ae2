-- A trigger that would do once more what it did on the other side, where its effects are compared as well.
ALTER TABLE {{table}} DISABLE TRIGGER {{trigger}}
