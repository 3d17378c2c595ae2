-- One table in a publication's list: without ONLY the tables that inherit from it would be listed as well.
ONLY {{table}}
