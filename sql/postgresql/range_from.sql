-- Rows at or above a bound.
ROW({{key}}) >= ROW({{bound}})
