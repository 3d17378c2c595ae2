-- Prepared XA transactions. Needs XA_RECOVER_ADMIN, and says nothing of a missing privilege.
XA RECOVER CONVERT XID
