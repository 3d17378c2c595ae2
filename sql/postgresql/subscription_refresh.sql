-- Let a subscription take notice of what its publications publish. Refused while it is disabled and inside a transaction.
-- Needs to be owner of the subscription.
ALTER SUBSCRIPTION {{subscription}} REFRESH PUBLICATION WITH (copy_data = false)
