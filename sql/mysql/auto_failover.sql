-- Whether the channel is one that a replication group starts when it elects a primary: not before 8.0.22.
SELECT 0 AS failover
