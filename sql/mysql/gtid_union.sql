-- A GTID set in its normal form.
SELECT GTID_SUBTRACT(%s, '') AS gtids
