-- Forgets a named connection.
RESET SLAVE {{connection}} ALL
