-- What this server has written or applied.
SELECT @@GLOBAL.gtid_executed
