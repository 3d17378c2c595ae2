-- A view that does not change, without any lock. It is consistent for InnoDB tables.
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY
