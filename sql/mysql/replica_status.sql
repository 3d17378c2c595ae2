-- All channels of this server as a replica.
SHOW SLAVE STATUS
