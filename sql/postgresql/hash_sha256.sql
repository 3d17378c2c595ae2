-- 64 bits of SHA-256 over a row in the binary form of the protocol, where each value has its length and NULL is none.
('x' || encode(substr(sha256(record_send(ROW({{values}}))), 1, 8), 'hex'))::bit(64)::bigint
