-- Whose rights this user lacks to change these publications and to list these tables; and whether it may make new ones.
SELECT has_database_privilege(current_database(), 'CREATE') AS may_create, current_database()::text AS database,
       ARRAY(SELECT DISTINCT pg_get_userbyid(o.owner)::text FROM (
                 SELECT p.pubowner AS owner FROM pg_publication AS p WHERE p.pubname::text = ANY (%(publications)s::text[])
                 UNION ALL
                 SELECT c.relowner FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS w (schema, name)
                 JOIN pg_namespace AS n ON n.nspname::text = w.schema
                 JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname::text = w.name) AS o
             WHERE NOT pg_has_role(o.owner, 'USAGE') ORDER BY 1) AS owners
