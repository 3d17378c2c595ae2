-- Rows of a temporary table of ours.
INSERT INTO {{table}} ({{columns}}) VALUES {{rows}}
