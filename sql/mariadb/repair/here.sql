-- Whether this is the server that was compared.
CONCAT('mariadb:', @@GLOBAL.server_id, '@', @@GLOBAL.hostname, ':', @@GLOBAL.port) = {{identity}}
