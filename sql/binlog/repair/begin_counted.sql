-- The same where rows are counted, which must not change before the end.
SET @replguard = IF({{here}} AND @@SESSION.sql_log_bin = {{logged}}, 0, (SELECT 1 UNION SELECT 2));
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
START TRANSACTION;
