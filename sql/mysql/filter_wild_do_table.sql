-- One list of rules of CHANGE REPLICATION FILTER.
REPLICATE_WILD_DO_TABLE = ({{names}})
