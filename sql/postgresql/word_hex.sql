-- Bytes as hex.
encode({{value}}, 'hex')
