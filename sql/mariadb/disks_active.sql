-- Whether the plugin is loaded that tells how much room is left on the disks (INSTALL SONAME 'disks').
SELECT COUNT(*) AS active FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'DISKS' AND PLUGIN_STATUS = 'ACTIVE'
