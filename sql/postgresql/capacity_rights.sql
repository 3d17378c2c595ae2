-- Whether this user may make slots, and the owners of subscriptions of this database whose rights it lacks. Needs nothing.
SELECT (r.rolreplication OR r.rolsuper) AS replicates,
       ARRAY(SELECT DISTINCT pg_get_userbyid(s.subowner)::text
             FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid
             WHERE d.datname = current_database() AND s.subname::text = ANY (%(subscriptions)s::text[])
               AND NOT pg_has_role(s.subowner, 'USAGE') ORDER BY 1) AS owners
FROM pg_roles AS r WHERE r.rolname = current_user
