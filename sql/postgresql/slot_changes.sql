-- What our own temporary copy of a subscription's slot carries, in the wire format of pgoutput.
COPY (
    SELECT lsn::text, encode(data, 'hex')
    FROM pg_logical_slot_get_binary_changes(%(copy)s::name, %(upto)s::pg_lsn, %(changes)s::int,
        'proto_version', '1', 'publication_names', %(publications)s)
) TO STDOUT
