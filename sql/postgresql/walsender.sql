-- A reader that went without a word (its machine died) holds its slot, and WAL with it, for a minute at most.
SELECT set_config('wal_sender_timeout', '60s', false)
