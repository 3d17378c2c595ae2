-- What leaked is taken out of the passive cluster by hand.
DELETE FROM event WHERE owner_node = 'blue-1'
