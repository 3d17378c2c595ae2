-- One statement, which fails unless it did to as many rows as it was to.
WITH done AS ({{text}}) SELECT pg_temp.replguard_expect(count(*), {{times}}, {{what}}) FROM done
