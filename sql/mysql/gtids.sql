-- What the server has executed. What is owned is being committed: it may be visible and not yet count as executed, so it
-- is read first.
SELECT @@GLOBAL.gtid_owned AS owned, @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_mode AS mode
