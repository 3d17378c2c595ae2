-- Starts applying again; the receiver is left as it is.
START REPLICA SQL_THREAD FOR CHANNEL {{link}}
