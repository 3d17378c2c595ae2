-- And refreshes the subscription, so that the target applies it.
ALTER SUBSCRIPTION {{subscription}} REFRESH PUBLICATION WITH (copy_data = false)
