-- The receiving end of a link, before version 16: changes that came from elsewhere are passed on too.
CREATE SUBSCRIPTION {{subscription}} CONNECTION {{source}} PUBLICATION {{publication}} WITH (copy_data = {{copy}})
