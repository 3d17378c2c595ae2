-- The connection of a lock is silent for as long as the work takes, and must not be ended for that.
SET SESSION wait_timeout = 31536000
