-- The next AUTO_INCREMENT of the tables of the scope, as the storage engine has it now.
SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS table_name, AUTO_INCREMENT AS next
FROM information_schema.TABLES
WHERE TABLE_SCHEMA IN ({{schemas}}) AND AUTO_INCREMENT IS NOT NULL
