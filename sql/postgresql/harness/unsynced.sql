-- Tables of this database's subscriptions whose first copy is not finished.
SELECT srrelid::regclass::text FROM pg_subscription_rel WHERE srsubstate <> 'r'
