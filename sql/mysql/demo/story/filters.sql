-- The replica ignores these tables. MySQL wants the applier stopped for that.
STOP REPLICA SQL_THREAD FOR CHANNEL '';
CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({{tables}}) FOR CHANNEL '';
START REPLICA SQL_THREAD FOR CHANNEL ''
