-- Makes a server the replica of another one, by GTID.
CHANGE MASTER TO MASTER_HOST = {{host}}, MASTER_PORT = {{port}}, MASTER_USER = 'repl', MASTER_PASSWORD = {{password}}, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1;
START SLAVE;
