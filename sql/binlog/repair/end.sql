-- Commits if every statement did what it was to do, also where a client went on after an error.
SET @replguard = IF(@replguard = {{steps}}, 'COMMIT', 'ROLLBACK');
PREPARE replguard FROM @replguard;
EXECUTE replguard;
DEALLOCATE PREPARE replguard;
SET SESSION sql_log_bin = @replguard_log, SESSION foreign_key_checks = @replguard_keys;
SELECT IF(@replguard = 'COMMIT', 'all statements done, committed', 'NOT done: rolled back, nothing is changed') AS replguard;
