-- The rows of a range.
 WHERE {{condition}}
