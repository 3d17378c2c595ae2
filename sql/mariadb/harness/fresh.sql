-- A server without history: positions begin here.
RESET MASTER;
SET GLOBAL gtid_slave_pos = '';
