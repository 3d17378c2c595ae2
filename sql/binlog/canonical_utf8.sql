-- Text of another character set as it is sent to a client.
CONVERT({{column}} USING utf8mb4)
