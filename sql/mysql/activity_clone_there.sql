-- Whether the plugin is there that copies whole servers.
SELECT COUNT(*) AS there FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone' AND PLUGIN_STATUS = 'ACTIVE'
