-- Before rows are put into a table without a key: as many of them are there as there were.
SELECT pg_temp.replguard_expect((SELECT count(*) FROM {{table}} WHERE {{guard}}), {{times}}, {{what}})
