-- The isolation level under which a snapshot is a snapshot.
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
