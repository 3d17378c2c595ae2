-- BIT, YEAR and ZEROFILL as a number without padding.
CAST({{column}} AS UNSIGNED)
