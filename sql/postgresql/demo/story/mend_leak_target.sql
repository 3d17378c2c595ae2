-- And the subscription forgets it.
ALTER SUBSCRIPTION {{subscription}} REFRESH PUBLICATION WITH (copy_data = false)
