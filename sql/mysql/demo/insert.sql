-- Rows of the demo; the placeholders are the driver's.
INSERT INTO {{table}} ({{columns}}) VALUES ({{placeholders}})
