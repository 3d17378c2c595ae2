-- The sessions of this account (and those of others, for who has PROCESS). Needs nothing.
SHOW PROCESSLIST
