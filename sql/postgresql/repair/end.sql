-- The end: all was as it was to be.
DROP FUNCTION pg_temp.replguard_expect(bigint, bigint, text);
COMMIT
