-- Stops fetching; what was fetched is still applied.
STOP SLAVE {{link}} IO_THREAD
