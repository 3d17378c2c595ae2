-- Whether the plugin is there that shows locks on tables.
SELECT COUNT(*) AS shown
FROM information_schema.PLUGINS
WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO' AND PLUGIN_STATUS = 'ACTIVE'
