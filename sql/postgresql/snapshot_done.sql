-- After that.
RELEASE SAVEPOINT replguard
