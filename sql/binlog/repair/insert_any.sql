-- A row that is missing, with a value that only IGNORE lets through: the error value of an ENUM.
INSERT IGNORE INTO {{table}} ({{columns}}) VALUES {{rows}};
