-- One list of rules of CHANGE REPLICATION FILTER.
REPLICATE_IGNORE_DB = ({{names}})
