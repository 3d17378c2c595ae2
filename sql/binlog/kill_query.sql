-- Ends a running read of our own.
KILL QUERY {{thread}}
