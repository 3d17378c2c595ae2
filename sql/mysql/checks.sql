-- Before 8.0.16 the server reads check constraints and forgets them.
SELECT NULL AS schema_name, NULL AS table_name, NULL AS name, NULL AS clause, NULL AS enforced FROM DUAL WHERE FALSE
