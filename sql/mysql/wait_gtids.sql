-- Waits, a second at most, until a GTID set is executed: 0 then, 1 where it is not.
SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s) AS waited
