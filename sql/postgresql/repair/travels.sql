-- A change that would travel to where the rows are right already, and stop the link there.
SELECT pg_temp.replguard_expect(0, 1, 'the link')
