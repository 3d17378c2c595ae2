-- The sending end of a link, for all tables of the database, later ones too.
CREATE PUBLICATION {{publication}} FOR ALL TABLES
