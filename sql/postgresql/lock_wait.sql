-- A deadline in milliseconds for each lock that this session waits for.
SELECT set_config('lock_timeout', %(milliseconds)s::text, false)
