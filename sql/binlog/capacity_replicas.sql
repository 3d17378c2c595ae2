-- Accounts, and whether a replica may log in by them; roles that were granted count for nothing here. Needs SELECT
-- on these columns of mysql.user.
SELECT u.User AS name, u.Host AS host, u.Repl_slave_priv AS may FROM mysql.user AS u
