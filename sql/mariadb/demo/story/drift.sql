-- Somebody "quickly" corrects two things on the passive cluster.
UPDATE account SET email = 'typo@example.com' WHERE id = 7;
INSERT INTO SiteParameter (site_id, name, value) VALUES (1, 'debug', 'on')
