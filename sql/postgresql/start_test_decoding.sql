-- Read our own temporary slot as text. Large transactions are told when they are committed.
START_REPLICATION SLOT {{slot}} LOGICAL {{lsn}} ("include-xids" 'on', "include-timestamp" 'on', "skip-empty-xacts" 'on')
