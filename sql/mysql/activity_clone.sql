-- Whether this server is being copied, or copied from another, by the clone plugin.
SELECT STATE AS state FROM performance_schema.clone_status WHERE STATE = 'In Progress'
