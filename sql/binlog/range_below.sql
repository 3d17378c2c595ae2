-- Below a bound.
{{column}} < {{value}}
