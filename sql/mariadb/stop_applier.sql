-- Stops applying.
STOP SLAVE {{link}} SQL_THREAD
