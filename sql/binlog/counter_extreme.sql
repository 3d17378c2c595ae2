-- The greatest (or least) number of one column, found by its index: a part of a statement for many.
SELECT {{number}} AS number, {{extreme}}({{column}}) AS extreme FROM {{table}}
