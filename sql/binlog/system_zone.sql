-- How many minutes the zone of the server's machine is from UTC in both halves of this year. Needs nothing.
SELECT TIMESTAMPDIFF(MINUTE, z.january, CONVERT_TZ(z.january, '+00:00', 'SYSTEM')) AS january,
       TIMESTAMPDIFF(MINUTE, z.july, CONVERT_TZ(z.july, '+00:00', 'SYSTEM')) AS july
FROM (SELECT CAST(CONCAT(YEAR(UTC_TIMESTAMP()), '-01-15 12:00:00') AS DATETIME) AS january,
             CAST(CONCAT(YEAR(UTC_TIMESTAMP()), '-07-15 12:00:00') AS DATETIME) AS july) AS z
