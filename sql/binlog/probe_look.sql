-- Whether anybody holds that lock on this server: the proof that two addresses are one server.
SELECT IS_USED_LOCK(%s) AS holder
