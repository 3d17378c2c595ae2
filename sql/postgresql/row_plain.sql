-- A value of a type below domains.
{{column}}::{{type}}
