-- Whether the subscription is enabled now; no row where it is gone.
SELECT subenabled AS enabled FROM pg_subscription WHERE oid = %(oid)s::oid
