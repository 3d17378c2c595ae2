-- A bound of the range in hand.
"replguard ranges".{{bound}}
