-- What this user may do. Tables that it may not read are hidden without a word, so this is looked at first.
SHOW GRANTS
