-- Whether the server refuses writes, as it is set now. super_read_only is MySQL's alone.
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only')
