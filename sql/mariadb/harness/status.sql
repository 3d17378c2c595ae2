-- One row a connection.
SHOW ALL SLAVES STATUS
