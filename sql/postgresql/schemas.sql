-- The schemas of the scope that exist: those named, or else all but the system's.
SELECT nspname::text AS schema
FROM pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND (%(schemas)s::text[] IS NULL OR nspname::text = ANY (%(schemas)s::text[]))
ORDER BY nspname::text COLLATE "C"
