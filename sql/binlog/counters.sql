-- Many columns or sequences in one statement.
{{parts}}
