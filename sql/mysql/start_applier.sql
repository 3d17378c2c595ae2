-- Starts applying again; the receiver is left as it is.
START SLAVE SQL_THREAD FOR CHANNEL {{link}}
