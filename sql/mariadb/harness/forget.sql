-- Ends every connection and forgets the default one and its filters.
STOP ALL SLAVES;
RESET SLAVE ALL;
SET GLOBAL replicate_do_db = '';
SET GLOBAL replicate_ignore_db = '';
SET GLOBAL replicate_do_table = '';
SET GLOBAL replicate_ignore_table = '';
SET GLOBAL replicate_wild_do_table = '';
SET GLOBAL replicate_wild_ignore_table = '';
