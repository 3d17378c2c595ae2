-- What this session changes does not replicate.
SET sql_log_bin = 0
