-- Stops fetching; what was fetched is still applied.
STOP REPLICA IO_THREAD FOR CHANNEL {{link}}
