-- After a read, whether or not it went well: gives its locks back, so that nobody waits for them until the snapshot ends.
ROLLBACK TO SAVEPOINT replguard
