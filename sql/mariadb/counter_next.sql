-- Where one sequence stands: a part of a statement for many.
SELECT {{number}} AS number, next_not_cached_value AS next, increment AS increment, minimum_value AS least,
       maximum_value AS greatest, cycle_option AS cycles
FROM {{sequence}}
