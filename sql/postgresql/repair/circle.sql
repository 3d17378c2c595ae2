-- Statements that refer to one another in a circle, as one: foreign keys are checked at its end.
WITH {{steps}}
SELECT {{checks}}
