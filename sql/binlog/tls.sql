-- The version of TLS of this connection; an empty value where it has none.
SHOW SESSION STATUS LIKE 'Ssl_version'
