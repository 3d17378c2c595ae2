-- One row in a table that the site has made for this: id INT PRIMARY KEY, token VARCHAR(64). Needs INSERT and DELETE on it.
REPLACE INTO {{table}} (id, token) VALUES (1, {{token}})
