-- The sending end of a link, for a list of tables.
CREATE PUBLICATION {{publication}} FOR TABLE {{tables}}
