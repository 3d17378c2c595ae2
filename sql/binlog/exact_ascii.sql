-- MariaDB keeps all bytes in columns of ASCII and sends '?' for those that are none: as latin1 each has a character.
CONVERT(CAST({{column}} AS BINARY) USING latin1)
