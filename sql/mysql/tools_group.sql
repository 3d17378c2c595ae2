-- The members of the server's replication group, as this one sees them.
SELECT MEMBER_HOST AS host, MEMBER_PORT AS port, MEMBER_STATE AS state
FROM performance_schema.replication_group_members
