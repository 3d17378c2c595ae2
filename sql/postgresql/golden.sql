-- The hashes of rows whose values stand here: of each type that enters a hash in a way of its own, at its edges.
SELECT string_agg(to_hex(r.hash), ' ' ORDER BY r.number) AS golden
FROM (
    SELECT number, {{hash}} AS hash
    FROM (VALUES
        (1, false, 'x'::"char", 'a name'::name, (-9223372036854775808)::int8, (-32768)::int2, (-2147483648)::int4, 'text'::text,
         0::oid, '{"a" : 1}'::json, '-0'::float4, '-0'::float8, 'a '::bpchar, '\x00ff5c'::bytea, 'A '::varchar,
         '-infinity'::date, '00:00:00'::time, '-infinity'::timestamp, 'infinity'::timestamptz, '1 mon -1 day'::interval,
         '12:00+05:30'::timetz, 'NaN'::numeric, '00000000-0000-0000-0000-000000000000'::uuid, '{"b": 1.00, "a": null}'::jsonb,
         '[0:1]={1,NULL}'::int4[], 'empty'::int4range, point '(0.1,-0)'),
        (2, true, '', '', 9223372036854775807, 32767, 2147483647, '', 4294967295, '[]', 'NaN', 'NaN', '', '', '',
         'infinity', '24:00:00', 'infinity', '-infinity', '24:00:00', '00:00-15:59', -1.00, 'ffffffff-ffff-ffff-ffff-ffffffffffff',
         '""', '{}', '[1,5)', '(1,2)'),
        (3, true, 'y', 'b', 4294967296, 1, 1, repeat('long ', 30000), 1, '1', '1e-45', '5e-324', 'b', decode(repeat('00', 150000), 'hex'),
         repeat('x', 100001), '0044-03-15 BC', '12:34:56.789', '2024-02-29 23:59:59.999999', '2024-02-29 23:59:59.999999+00',
         '-00:00:00.000001', '12:00:00.5+00', 12345678901234567890.0123456789, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[1, 2]',
         '{ {1}, {2} }', '(,)', '(Infinity,NaN)'),
        (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) AS g (number, boolean, "character", "name", "bigint", "smallint", "integer", "text", "oid", "json", "real", "double",
            "padded", "binary", "varied", "day", "time", "timestamp", "moment", "interval", "timetz", "numeric", "uuid", "jsonb",
            "list", "range", "place")
) AS r
