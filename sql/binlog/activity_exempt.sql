-- Who may write in spite of read_only. To a user without SELECT on the database mysql only its own are shown.
SELECT GRANTEE AS account, PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES
WHERE PRIVILEGE_TYPE IN ('SUPER', 'CONNECTION_ADMIN', 'READ_ONLY ADMIN', 'READ ONLY ADMIN')
