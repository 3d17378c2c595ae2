-- Client statements that run now, this one not counted. Needs pg_read_all_stats (pg_monitor has it): to others the server
-- does not show what other users' sessions do.
SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN
           (SELECT count(*) FROM pg_stat_activity AS a
            WHERE a.state = 'active' AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid())
       END AS running
