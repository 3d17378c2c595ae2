-- Read our own temporary slot as its subscription does. Protocol 3: prepared transactions too.
START_REPLICATION SLOT {{slot}} LOGICAL {{lsn}} (proto_version '3', publication_names {{publications}}, streaming {{streaming}}, two_phase {{two_phase}})
