-- Prepared XA transactions, their names as a statement takes them.
XA RECOVER FORMAT = 'SQL'
