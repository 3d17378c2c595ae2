-- Fails on any other server, and where the session would be logged though it should not.
SET @replguard = IF({{here}} AND @@SESSION.sql_log_bin = {{logged}}, 0, (SELECT 1 UNION SELECT 2));
START TRANSACTION;
