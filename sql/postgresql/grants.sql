-- Three roles for PostgreSQL >= 14, each with the least that its commands need: read, stream, control, each with what the
-- one before has. Never sent by replguard: run this yourself on each cluster, with psql in the database that the URL names
-- (`st`) and for each schema that is compared (`public`). What stands behind `-- GRANT` is not needed for a verdict: the
-- comment says what it makes better.
--
-- The catalog, subscriptions, publications, slots, workers and advisory locks are readable by every user. CONNECT and
-- TEMPORARY on the database are everybody's unless they were taken away: diff --self-test needs the second.

-- read: init, policy show, status, filter audit, filter plan, filter export, diff, diff --self-test.
CREATE ROLE replguard_read NOLOGIN;

-- Without USAGE and SELECT no row can be read: diff gives no verdict. Row-level security is never applied silently: to
-- compare a table under it the login needs BYPASSRLS, which is not inherited through roles.
GRANT USAGE ON SCHEMA public TO replguard_read;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replguard_read;
-- Without SELECT on sequences diff cannot tell where they stand.
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO replguard_read;

-- The same for what the role that runs this makes later (FOR ROLE name: for what another makes):
-- ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO replguard_read;
-- ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO replguard_read;
-- Where commits wait for a synchronous standby: which of them do. Whose transactions keep a slot from being made, and the
-- sender's own measure of lag:
-- GRANT pg_read_all_stats TO replguard_read;
-- How far a target has applied when its source cannot be reached:
-- GRANT EXECUTE ON FUNCTION pg_replication_origin_progress(text, boolean) TO replguard_read;
-- Where a subscription connects to (the column also holds its password, which replguard never shows):
-- GRANT SELECT (subconninfo) ON pg_subscription TO replguard_read;

-- stream: watch, gate, diff --trace; and diff tells what moved between its two views, without which it is `unaligned`.
CREATE ROLE replguard_stream NOLOGIN;
GRANT replguard_read TO replguard_stream;
-- The login itself needs REPLICATION, which is not inherited through roles: see below.
-- Without pg_read_all_stats gate is not shown what sessions of other users do.
GRANT pg_read_all_stats TO replguard_stream;
-- Without pg_read_all_settings gate is not shown which libraries run jobs by themselves.
GRANT pg_read_all_settings TO replguard_stream;

-- control: pause, resume, filter apply, watch --on-leak pause.
CREATE ROLE replguard_control NOLOGIN;
GRANT replguard_stream TO replguard_control;

-- Only who inherits from the owner of a subscription may disable and enable it: without that no pause and no resume. Do
-- not make replguard the owner: changes are applied as the owner, who needs rights on every table. (Before 16 without the
-- options, here and below.)
GRANT owner_of_the_subscription TO replguard_control WITH INHERIT TRUE, SET FALSE;
-- Only who inherits from the owner of a publication may change its list, and only from tables of whose owner it inherits,
-- too: without these no filter apply. (Whoever pauses and resumes alone needs none of what follows.)
GRANT owner_of_the_publication TO replguard_control WITH INHERIT TRUE, SET FALSE;
GRANT owner_of_the_tables TO replguard_control WITH INHERIT TRUE, SET FALSE;
-- Without CREATE filter apply cannot make a publication of a link's own, as where the present one is FOR ALL TABLES or
-- another link reads it too.
GRANT CREATE ON DATABASE st TO replguard_control;

-- A login has the role of its job. Copies of a link's slot, slots of its own, and guards take REPLICATION: without it
-- watch, gate, pause and resume read no stream. A server's own changes also take the plugin test_decoding (package
-- postgresql-contrib); where somebody asks watch for a publication in its place (--publication), that takes a superuser.
--   CREATE ROLE replguard LOGIN PASSWORD '...' IN ROLE replguard_read;
--   ALTER ROLE replguard REPLICATION;
