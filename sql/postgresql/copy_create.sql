-- A temporary table like one that is compared: nobody else sees it, and it is gone with the connection. Needs TEMPORARY
-- on the database, which everybody has unless it was taken away.
CREATE TEMPORARY TABLE {{table}} AS SELECT {{columns}} FROM {{source}} WITH NO DATA
