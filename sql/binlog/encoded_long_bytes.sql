-- Many bytes by their digest, which their number before it tells.
IF(LENGTH({{value}}) > 65535, SHA2({{value}}, 256), {{value}})
