-- A range without two bounds is in order.
true
