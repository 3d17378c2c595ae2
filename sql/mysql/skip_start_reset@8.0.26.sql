-- Takes skip_start back where nothing was persisted before; the older name goes with it.
RESET PERSIST IF EXISTS skip_replica_start
