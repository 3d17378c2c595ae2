-- At or above a bound.
{{column}} >= {{value}}
