-- The connection that holds the operators' lock, NULL where nobody does.
SELECT IS_USED_LOCK(%s) AS holder
