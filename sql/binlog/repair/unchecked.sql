-- Rows that refer to one another in a circle cannot be written one after the other while foreign keys are checked.
SET SESSION foreign_key_checks = 0;
