-- A column of an order that begins with the last row.
{{column}} DESC
