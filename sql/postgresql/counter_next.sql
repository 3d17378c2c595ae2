-- Where one sequence stands: a part of a statement for many.
SELECT {{number}} AS number, last_value::text AS last, is_called AS called FROM {{sequence}}
