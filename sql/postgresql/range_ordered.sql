-- Whether this server has the bounds of a range in order.
ROW({{lower}}) <= ROW({{upper}})
