-- The first statement of the transaction takes the snapshot; its text says which transactions it sees.
SELECT pg_current_snapshot()::text AS snapshot
