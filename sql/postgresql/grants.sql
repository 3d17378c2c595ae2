-- The grants that replguard needs on each cluster, part by part. Read, strike out what is not wanted, and run as a
-- superuser with psql in the database that the URL names. replguard itself never runs this file.
--
-- The catalog, subscriptions, publications, slots, workers and advisory locks are readable by every user; the status of
-- links and the audit of filters need LOGIN and CONNECT alone.

CREATE ROLE replguard LOGIN PASSWORD 'choose one';

-- 1. diff: reading rows, and where sequences stand. Row-level security is never applied silently: a table under it needs BYPASSRLS.
GRANT USAGE ON SCHEMA public TO replguard;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replguard;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO replguard;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO replguard;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO replguard;
-- ALTER ROLE replguard BYPASSRLS;

-- 2. watch, pause's look at what is still on its way, and diff's at what moved between its two views (without it a
--    comparison is called unaligned): temporary copies of a subscription's slot, on its source; a server's own changes, by
--    a temporary slot with the plugin test_decoding (package postgresql-contrib). Where somebody asks for a publication of
--    all tables instead, that takes a superuser.
ALTER ROLE replguard REPLICATION;

-- 3. Better diff where commits wait for a synchronous standby: which of them do. Better status: whose transactions keep a
--    slot from being made; the sender's own measure of lag; how far a target has applied when its source cannot be reached; where a subscription connects to (the column also holds its password, which replguard never shows).
GRANT pg_monitor TO replguard;
GRANT EXECUTE ON FUNCTION pg_replication_origin_progress(text, boolean) TO replguard;
-- GRANT SELECT (subconninfo) ON pg_subscription TO replguard;

-- 4. pause and resume: only the owner of a subscription, or who inherits from that role, may disable and enable it. Do not
--    make replguard the owner: changes are applied as the owner, who needs rights on every table.
-- GRANT owner_of_the_subscription TO replguard WITH INHERIT TRUE, SET FALSE;  -- before 16 without the options
