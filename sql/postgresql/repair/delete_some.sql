-- Rows too many of a table without a key, as many as are too many.
DELETE FROM {{table}} WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM {{table}} WHERE {{guard}} LIMIT {{times}}) RETURNING 1
