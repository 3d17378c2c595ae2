-- How long the next statements of this session may take.
SELECT set_config('statement_timeout', %(milliseconds)s, false), set_config('lock_timeout', '0', false)
