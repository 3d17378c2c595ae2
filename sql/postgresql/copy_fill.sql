-- Rows of a temporary table of ours.
INSERT INTO pg_temp.{{table}} ({{columns}}) VALUES {{rows}}
