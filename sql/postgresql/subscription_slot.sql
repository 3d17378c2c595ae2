-- The slot that a subscription reads. Needs to be its owner.
ALTER SUBSCRIPTION {{subscription}} SET (slot_name = {{slot}})
