-- An ENUM or SET by the number behind its label.
{{column}} + 0 <=> {{value}}
