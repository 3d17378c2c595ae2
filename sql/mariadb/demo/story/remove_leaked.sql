-- What leaked is taken out of the passive cluster by hand.
DELETE FROM Event WHERE owner_node = 'blue-1'
