-- Routines of the scope. The body is NULL for who may not see it, and a routine is not listed at all for who has nothing
-- to do with it.
SELECT ROUTINE_SCHEMA AS schema_name, ROUTINE_NAME AS name, ROUTINE_TYPE AS type, DTD_IDENTIFIER AS result,
       COLLATION_NAME AS result_collation, ROUTINE_DEFINITION AS body, IS_DETERMINISTIC AS is_deterministic,
       SQL_DATA_ACCESS AS data_access, SECURITY_TYPE AS security_type, SQL_MODE AS sql_mode, DEFINER AS definer,
       COLLATION_CONNECTION AS collation_name
FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA IN ({{schemas}})
