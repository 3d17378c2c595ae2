-- The application queues an event, as it does all day.
INSERT INTO Event (kind, priority, state, owner_node, created) VALUES ('FileArrived', 5, 'new', 'blue-1', UTC_TIMESTAMP(3))
