-- Asked first on every connection: what the server is, and under which account we are there.
SELECT VERSION() AS version, CURRENT_USER() AS account, CONNECTION_ID() AS connection_id
