-- Whether this connection holds the operators' lock still.
SELECT IS_USED_LOCK(%s) = CONNECTION_ID() AS kept
