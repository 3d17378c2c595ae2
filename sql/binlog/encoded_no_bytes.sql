-- NULL has no bytes behind its mark.
IF({{column}} IS NULL, '', {{value}})
