-- The end of a read in the order of the key.
 ORDER BY {{columns}}
