-- The rows of the demo are written in UTC.
SET TIME ZONE 'UTC'
