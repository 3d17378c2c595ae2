-- How each filter was set: SQL where that was at run time, for one connection or another. What stands in the options at
-- the server's start counts as COMPILE-TIME.
SELECT UPPER(VARIABLE_NAME) AS name, GLOBAL_VALUE_ORIGIN AS origin
FROM information_schema.SYSTEM_VARIABLES
WHERE VARIABLE_NAME IN (
  'REPLICATE_DO_DB', 'REPLICATE_IGNORE_DB', 'REPLICATE_DO_TABLE', 'REPLICATE_IGNORE_TABLE', 'REPLICATE_WILD_DO_TABLE',
  'REPLICATE_WILD_IGNORE_TABLE', 'REPLICATE_REWRITE_DB'
)
