-- Any other type by its printed form. IS NOT NULL would not hold for a composite with a NULL in it.
{{column}} IS DISTINCT FROM NULL AND format('%s', {{column}}) COLLATE "C" = {{value}}
