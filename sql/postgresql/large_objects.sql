-- Whether a column of oids names large objects of this database.
SELECT EXISTS (SELECT FROM {{table}} AS t JOIN pg_largeobject_metadata AS m ON m.oid = t.{{column}}) AS found
