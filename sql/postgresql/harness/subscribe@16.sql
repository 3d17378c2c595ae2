-- The receiving end of a link: only changes that were made at the source itself.
CREATE SUBSCRIPTION {{subscription}} CONNECTION {{source}} PUBLICATION {{publication}} WITH (copy_data = {{copy}}, origin = none)
