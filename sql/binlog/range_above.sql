-- Above a bound.
{{column}} > {{value}}
