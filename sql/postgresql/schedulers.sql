-- What runs jobs: libraries that are loaded, and the programs beside the server that are connected to any database, which
-- every user is shown. Needs pg_read_all_settings (in pg_monitor).
SELECT current_setting('shared_preload_libraries')::text AS libraries,
       ARRAY(SELECT DISTINCT a.application_name FROM pg_stat_activity AS a
             WHERE a.application_name ~* '^(pg_timetable|pgagent)' ORDER BY 1) AS programs
