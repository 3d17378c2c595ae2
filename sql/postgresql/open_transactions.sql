-- Below which number every transaction of the server has ended, and the first number that was not given out yet.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
