-- After a read.
RELEASE SAVEPOINT replguard
