-- A publication of one link's own, with a list of tables. Needs CREATE on the database, and to be owner of the tables.
CREATE PUBLICATION {{publication}}{{objects}} WITH (publish = {{operations}}, publish_via_partition_root = {{via_root}})
