-- Starts applying again; the receiver is left as it is.
START SLAVE {{link}} SQL_THREAD
