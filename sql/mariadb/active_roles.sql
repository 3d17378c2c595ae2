-- The roles whose privileges count on this connection.
SELECT ROLE_NAME AS name FROM information_schema.ENABLED_ROLES WHERE ROLE_NAME IS NOT NULL
