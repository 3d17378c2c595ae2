-- A temporary table like one that is compared: nobody else sees it, and it is gone with the connection. Needs CREATE
-- TEMPORARY TABLES on the database.
CREATE TEMPORARY TABLE {{table}} {{key}} SELECT {{columns}} FROM {{source}} WHERE FALSE
