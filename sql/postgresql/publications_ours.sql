-- Publications that replguard made, by their names and by what they publish.
SELECT p.pubname::text AS name FROM pg_publication AS p
WHERE p.pubname ~ '^replguard_[0-9]+_[0-9a-f]{12}$' AND p.puballtables AND NOT p.pubupdate AND NOT p.pubdelete
ORDER BY p.pubname
