-- Whether this server has applied everything of a set of transactions.
SELECT GTID_SUBSET({{set}}, @@GLOBAL.gtid_executed)
