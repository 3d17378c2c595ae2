-- What this session does is not written to the binary log, so no replica gets it.
SET SESSION sql_log_bin = 0;
