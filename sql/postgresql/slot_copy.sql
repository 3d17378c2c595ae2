-- A temporary copy of a subscription's slot: the original does not move, the copy dies with the session.
-- Needs REPLICATION (or superuser). Works while the slot is active.
SELECT slot_name::text AS name, lsn::text AS lsn
FROM pg_copy_logical_replication_slot(%(slot)s::name, %(copy)s::name, true)
