-- From where the holder of a lock connected. Other accounts' connections are shown with PROCESS alone.
SELECT CONCAT(USER, '@', HOST) AS account FROM information_schema.PROCESSLIST WHERE ID = %s
