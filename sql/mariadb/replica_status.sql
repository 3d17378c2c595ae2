-- All connections of this server as a replica, with their filters.
SHOW ALL SLAVES STATUS
