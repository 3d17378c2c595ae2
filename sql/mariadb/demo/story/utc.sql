-- The rows of the demo are written in UTC.
SET time_zone = '+00:00'
