-- Who holds the locks by which programs that switch replication over know of one another; NULL where nobody does.
SELECT IS_USED_LOCK('maxscale_mariadbmonitor') AS maxscale,
       IS_USED_LOCK('maxscale_mariadbmonitor_master') AS maxscale_primary,
       IS_USED_LOCK('MHA_Master_High_Availability_Monitor') AS mha_monitor,
       IS_USED_LOCK('MHA_Master_High_Availability_Failover') AS mha_failover
