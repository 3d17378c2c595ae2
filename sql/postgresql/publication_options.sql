-- Which operations a publication publishes, and under which names partitions travel. Needs to be its owner.
ALTER PUBLICATION {{publication}} SET (publish = {{operations}}, publish_via_partition_root = {{via_root}})
