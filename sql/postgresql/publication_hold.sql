-- Say that a publication of our own is in use, for as long as this session lives; false where another session says so.
SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0)) AS held
