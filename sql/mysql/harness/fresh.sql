-- A server without history: positions begin here.
RESET BINARY LOGS AND GTIDS;
