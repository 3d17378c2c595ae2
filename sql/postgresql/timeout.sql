-- A deadline in milliseconds for the statements of this session; 0 is none.
SELECT set_config('statement_timeout', %(milliseconds)s::text, false)
