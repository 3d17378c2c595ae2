-- How many sessions wait for a semi-synchronous replica: written and not visible yet. No row without the plugin.
SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_source_wait_sessions', 'Rpl_semi_sync_master_wait_sessions')
