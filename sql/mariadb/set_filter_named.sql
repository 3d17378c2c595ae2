-- Sets one list of rules, as a whole, for a connection by name. Its applier must stand.
SET GLOBAL {{link}}.{{rule}} = {{names}}
