-- Whether this server has the bounds of a range in order.
SELECT {{ordered}} AS ordered
