-- After a read that failed or was left early.
ROLLBACK TO SAVEPOINT replguard
