-- Sets the rules of these kinds, each list as a whole, for one channel. Its applier must stand.
CHANGE REPLICATION FILTER {{rules}} FOR CHANNEL {{link}}
