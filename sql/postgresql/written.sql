-- Which transactions wrote the rows whose key is among some, under which origin they were first committed, and when; no
-- origin where the server remembers none any more. Needs SELECT on the table, and track_commit_timestamp.
COPY (SELECT {{columns}}, xmin::text,
             (SELECT o.roident::text FROM pg_xact_commit_timestamp_origin(xmin) AS o),
             (SELECT r.roname FROM pg_xact_commit_timestamp_origin(xmin) AS o JOIN pg_replication_origin AS r USING (roident)),
             (SELECT (extract(epoch FROM o."timestamp") * 1000000)::bigint FROM pg_xact_commit_timestamp_origin(xmin) AS o)
      FROM {{table}} WHERE ({{key}}) IN (SELECT * FROM unnest({{arrays}}))) TO STDOUT
