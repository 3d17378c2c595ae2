-- The number behind an ENUM or SET value: the error value and the label '' have the same text.
{{column}} + 0
