-- Stops applying.
STOP REPLICA SQL_THREAD FOR CHANNEL {{link}}
