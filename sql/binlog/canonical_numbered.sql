-- A label and the number behind it, where the label alone may mean more than one value.
CONCAT({{label}}, CAST(X'00' AS BINARY), {{column}} + 0)
