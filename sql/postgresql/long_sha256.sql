-- The digest of a long value.
sha256({{bytes}})
