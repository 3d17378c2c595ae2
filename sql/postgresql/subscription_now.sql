-- What a subscription reads, from which slot, and whether it is enabled; no row where it is gone. Needs nothing.
SELECT subenabled AS enabled, subslotname::text AS slot, subpublications AS publications FROM pg_subscription
WHERE oid = %(oid)s::oid
