-- Waits, a second at most, until a channel has applied a place in its source's binlog: -1 where it has not, NULL where it
-- does not run.
SELECT MASTER_POS_WAIT(%s, %s, %s, %s) AS waited
