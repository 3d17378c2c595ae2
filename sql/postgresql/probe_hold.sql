-- A shared advisory lock, held while the session lives; hinders nobody but an exclusive lock of the same number.
SELECT pg_try_advisory_lock_shared((%(token)s)::bigint) AS held
