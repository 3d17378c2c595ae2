-- The filters for all channels, and how they were set.
SELECT FILTER_NAME AS name, FILTER_RULE AS rule, CONFIGURED_BY AS configured_by
FROM performance_schema.replication_applier_global_filters
