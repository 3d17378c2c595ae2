-- 64 bits of a long value, as bytes.
int8send(hash_record_extended(ROW({{value}}), 0))
