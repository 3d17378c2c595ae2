-- Before each read, so that one that fails or is left early does not end the snapshot.
SAVEPOINT replguard
