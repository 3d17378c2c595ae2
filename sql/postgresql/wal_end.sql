-- The end of the WAL: what is on disk, what is inserted, and how long an asynchronous commit may stay between the two.
SELECT pg_current_wal_flush_lsn()::text AS flushed, pg_current_wal_insert_lsn()::text AS inserted,
       (SELECT setting::int FROM pg_settings WHERE name = 'wal_writer_delay') AS writer_delay_ms
