-- A long text by its digest, behind FD, which no text begins with: the row as one string must stay below max_allowed_packet.
IF(LENGTH({{value}}) > 65535, CONCAT(CAST(X'FD' AS BINARY), SHA2({{value}}, 256)), {{value}})
