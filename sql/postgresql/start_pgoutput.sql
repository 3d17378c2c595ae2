-- Read our own temporary slot as its subscription does. Protocol 2: large transactions in parts.
START_REPLICATION SLOT {{slot}} LOGICAL {{lsn}} (proto_version '2', publication_names {{publications}}, streaming {{streaming}})
