-- Leave every channel stopped when the server starts. Needs SYSTEM_VARIABLES_ADMIN and PERSIST_RO_VARIABLES_ADMIN.
SET PERSIST_ONLY skip_replica_start = ON
