-- Where the binlog is to be sent from: what was read already, domain by domain.
SET @slave_connect_state = %s, @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0
