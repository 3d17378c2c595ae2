-- A value that may be long, alone where it is: a row of several such has no place in memory.
CASE WHEN octet_length({{bytes}}) <= 100000 THEN {{value}} END, CASE WHEN octet_length({{bytes}}) > 100000 THEN {{digest}} END
