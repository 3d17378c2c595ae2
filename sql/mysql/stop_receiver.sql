-- Stops fetching; what was fetched is still applied.
STOP SLAVE IO_THREAD FOR CHANNEL {{link}}
