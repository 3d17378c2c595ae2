-- The passive cluster's own parameters: they differ for a reason, and the preset expects it.
UPDATE serverconfiguration SET value = 'secondary' WHERE name = 'Cluster.DeploymentSite';
UPDATE serverconfiguration SET value = 'false' WHERE name IN ('Scheduler.enable', 'FolderMonitor.enable');
UPDATE serverconfiguration SET value = '198.51.100.77' WHERE name = 'node.ip'
