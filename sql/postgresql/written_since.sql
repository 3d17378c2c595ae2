-- The rows that were written since a snapshot was taken, by the 32 bits that each keeps of its transaction: those that lie
-- between the oldest one that was open then and the next one now, but for those that were seen already then.
WHERE ((xmin::text::bigint - {{least}}) & 4294967295) < {{count}} AND xmin::text::bigint > 2
  AND xmin::text <> ALL ({{seen}})
