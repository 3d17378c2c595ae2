-- The user of replguard with what every command needs, and the user of the replication between the two servers.
CREATE ROLE replguard LOGIN SUPERUSER REPLICATION PASSWORD {{password}};
CREATE ROLE repl LOGIN REPLICATION PASSWORD {{password}};
GRANT pg_read_all_data TO repl;
