-- Pins everything that changes how values are printed or names are resolved, and takes one processor at most, for this
-- session alone.
SELECT set_config('search_path', 'pg_catalog', false),
       set_config('TimeZone', 'UTC', false),
       set_config('DateStyle', 'ISO, YMD', false),
       set_config('IntervalStyle', 'postgres', false),
       set_config('extra_float_digits', '3', false),
       set_config('bytea_output', 'hex', false),
       set_config('lc_monetary', 'C', false),
       set_config('xmlbinary', 'base64', false),
       set_config('row_security', 'off', false),
       set_config('jit', 'off', false),
       set_config('max_parallel_workers_per_gather', '0', false),
       set_config('lock_timeout', '5s', false),
       set_config('statement_timeout', '0', false),
       set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('default_transaction_read_only', %(read_only)s, false)
