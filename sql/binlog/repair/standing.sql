-- Before rows are put into a table without a key: as many of them are there as there were (else error 1242).
SET @replguard = @replguard + IF((SELECT COUNT(*) FROM {{table}} WHERE {{guard}}) = {{times}}, 0, (SELECT 1 UNION SELECT 2));
