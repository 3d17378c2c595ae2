-- Takes skip_start back where nothing was persisted before.
RESET PERSIST IF EXISTS skip_slave_start
