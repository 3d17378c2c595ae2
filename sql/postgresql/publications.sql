-- What the publications of a subscription publish, on the source. Needs nothing.
SELECT pubname::text AS name, puballtables AS all_tables, pubinsert AS "insert", pubupdate AS "update", pubdelete AS "delete",
       pubtruncate AS "truncate", pubviaroot AS via_root
FROM pg_publication WHERE pubname::text = ANY (%(names)s::text[])
ORDER BY pubname::text COLLATE "C"
