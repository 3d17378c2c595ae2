-- Which publications a subscription reads, without taking notice of their tables. Needs to be its owner.
ALTER SUBSCRIPTION {{subscription}} SET PUBLICATION {{publications}} WITH (refresh = false)
