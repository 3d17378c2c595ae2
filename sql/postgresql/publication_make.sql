-- Only where an option asks for it: a publication of our own for a server without test_decoding. Inserts and truncates
-- alone, because publishing updates or deletes makes them fail in the application where a table has no replica identity.
-- Needs a superuser.
CREATE PUBLICATION {{publication}} FOR ALL TABLES WITH (publish = 'insert, truncate')
