-- Takes skip_start back where OFF was persisted before.
SET PERSIST_ONLY skip_slave_start = OFF
