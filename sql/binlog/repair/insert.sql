-- A row that is missing. Where its key is there already the server refuses it.
INSERT INTO {{table}} ({{columns}}) VALUES {{rows}};
