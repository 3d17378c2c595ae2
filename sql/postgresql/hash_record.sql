-- 64 bits of a row by the server's internal functions. hash_record_extended alone adds up the columns' hashes, so sums of
-- it cannot tell values that change places; as a seed of another hash all its 64 bits are mixed. (hashint8extended would
-- not do: it folds its argument to 32 bits first.)
hashint4extended(1, hash_record_extended(ROW({{values}}), 0))
