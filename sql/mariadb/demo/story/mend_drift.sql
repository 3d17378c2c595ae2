-- The two things are put right.
UPDATE account SET email = 'account7@example.com' WHERE id = 7;
DELETE FROM SiteParameter WHERE site_id = 1 AND name = 'debug'
