-- Stops applying.
STOP SLAVE SQL_THREAD FOR CHANNEL {{link}}
