-- Going back to here after each table lets go of its metadata lock, so that no ALTER TABLE waits for a snapshot.
SAVEPOINT replguard
