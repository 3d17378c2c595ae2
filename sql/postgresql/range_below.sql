-- Rows below a bound.
ROW({{key}}) < ROW({{bound}})
