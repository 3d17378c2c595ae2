-- The operators' lock: taken at once or not at all; it is gone with the connection.
SELECT GET_LOCK(%s, 0) AS held
