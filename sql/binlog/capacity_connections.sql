-- How many sessions are open now. Needs nothing.
SHOW GLOBAL STATUS LIKE 'Threads_connected'
