-- Every setting of the server, as it is for new sessions. Needs nothing.
SHOW GLOBAL VARIABLES
