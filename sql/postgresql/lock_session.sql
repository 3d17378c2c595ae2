-- The session of a lock is silent for as long as the work takes, and must not be ended for that.
SELECT set_config('idle_session_timeout', '0', false)
