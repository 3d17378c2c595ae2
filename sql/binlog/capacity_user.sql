-- How many sessions this account may have; 0 for as many as it wants. Needs nothing.
SELECT @@SESSION.max_user_connections AS most
