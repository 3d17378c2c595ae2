-- Views of the scope. The definition is empty for who lacks SHOW VIEW.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS name, VIEW_DEFINITION AS definition, CHECK_OPTION AS check_option,
       SECURITY_TYPE AS security_type, DEFINER AS definer, COLLATION_CONNECTION AS collation_name
FROM information_schema.VIEWS
WHERE TABLE_SCHEMA IN ({{schemas}})
