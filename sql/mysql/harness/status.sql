-- One row a channel.
SHOW REPLICA STATUS
