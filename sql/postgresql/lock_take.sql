-- The operators' lock: taken at once or not at all; it is gone with the session.
SELECT pg_try_advisory_lock((%(token)s)::bigint) AS held
