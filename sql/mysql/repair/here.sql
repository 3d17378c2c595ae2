-- Whether this is the server that was compared.
CONCAT('mysql:', LOWER(@@GLOBAL.server_uuid)) = {{identity}}
