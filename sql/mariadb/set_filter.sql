-- Sets one list of rules, as a whole, for the default connection. Its applier must stand.
SET GLOBAL {{rule}} = {{names}}
