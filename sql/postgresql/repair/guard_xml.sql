-- XML as stored.
{{column}} IS NOT NULL AND {{column}}::text COLLATE "C" = {{value}}
