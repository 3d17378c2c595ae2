-- Whether it did to as many rows as it was to.
pg_temp.replguard_expect((SELECT count(*) FROM {{part}}), {{times}}, {{what}})
