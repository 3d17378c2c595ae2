-- Libraries that run jobs by themselves. Needs pg_read_all_settings (in pg_monitor).
SELECT current_setting('shared_preload_libraries')::text AS libraries
