-- Read our own temporary slot as its subscription does, with its origin option. Protocol 4.
START_REPLICATION SLOT {{slot}} LOGICAL {{lsn}} (proto_version '4', publication_names {{publications}}, streaming {{streaming}}, two_phase {{two_phase}}, origin {{origin}})
