-- A value of any type as its output function prints it. IS NULL would take a composite of NULLs for NULL; this does not.
CASE WHEN {{column}} IS DISTINCT FROM NULL THEN format('%s', {{column}}) END
