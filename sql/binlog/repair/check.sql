-- Behind each statement: count it, and fail unless it changed what it was to change (error 1242).
;
SET @replguard = @replguard + IF(ROW_COUNT() = {{times}}, 1, (SELECT 1 UNION SELECT 2));
