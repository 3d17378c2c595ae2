-- Up to where this server's log is safe, which holds every commit that has been reported.
SELECT pg_current_wal_flush_lsn()::text
