-- Libraries that run jobs by themselves. Needs pg_read_all_settings (in pg_monitor); without it there is no row.
SELECT current_setting('shared_preload_libraries', true)::text AS libraries
