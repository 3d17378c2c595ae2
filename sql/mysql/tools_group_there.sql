-- Whether the plugin of group replication is there.
SELECT COUNT(*) AS there FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'group_replication' AND PLUGIN_STATUS = 'ACTIVE'
