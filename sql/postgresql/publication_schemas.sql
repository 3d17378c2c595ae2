-- Schemas in a publication's list (from version 15 on).
TABLES IN SCHEMA {{schemas}}
