-- One row in a table that the site has made for this: id int PRIMARY KEY, token text. Needs INSERT and UPDATE on it.
INSERT INTO {{table}} (id, token) VALUES (1, %(token)s)
ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token
