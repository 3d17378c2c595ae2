-- Whether this server has executed a GTID set; what is missing where not.
SELECT GTID_SUBTRACT(%s, @@GLOBAL.gtid_executed) AS missing
