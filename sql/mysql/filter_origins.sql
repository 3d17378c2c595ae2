-- How each filter of each channel was set: what was set at run time is gone after a restart.
SELECT CHANNEL_NAME AS channel, FILTER_NAME AS name, FILTER_RULE AS rule, CONFIGURED_BY AS configured_by
FROM performance_schema.replication_applier_filters
