-- One list of rules of CHANGE REPLICATION FILTER.
REPLICATE_DO_TABLE = ({{names}})
