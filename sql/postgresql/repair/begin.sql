-- The transaction, under the settings under which the values were read; a function of this session that lets it fail
-- unless a statement did to as many rows as it was to; and that this is the database that was compared.
BEGIN;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmlbinary = 'base64';
SET LOCAL xmloption = 'content';
SET LOCAL row_security = off;
SET LOCAL lock_timeout = '10s';
SET LOCAL default_transaction_read_only = off;
CREATE OR REPLACE FUNCTION pg_temp.replguard_expect(done bigint, wanted bigint, what text) RETURNS text LANGUAGE plpgsql AS $replguard$
BEGIN
  IF done IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'nothing is changed: % is not as it was when it was compared (% instead of %)', what, done, wanted
      USING HINT = 'Compare again, and make a new file of repairs.';
  END IF;
  RETURN what;
END
$replguard$;
SELECT pg_temp.replguard_expect((s.system_identifier::text = {{system}} AND current_database() = {{database}})::int, 1, 'this server')
  FROM pg_control_system() AS s
