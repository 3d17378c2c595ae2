-- Removes a subscription without a word to the other server, which may be gone.
ALTER SUBSCRIPTION {{subscription}} DISABLE;
ALTER SUBSCRIPTION {{subscription}} SET (slot_name = NONE);
DROP SUBSCRIPTION {{subscription}};
