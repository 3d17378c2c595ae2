-- A temporary table with a column of each kind, for rows of our own making.
CREATE TEMPORARY TABLE {{table}} (
  id integer, sm smallint, bi bigint, nu numeric, re real, dp double precision, tx text, vc varchar(40), ch char(5), by bytea,
  bo boolean, da date, ts timestamp, tz timestamptz, ti time, iv interval, uu uuid, js json, jb jsonb, ar integer[]
)
