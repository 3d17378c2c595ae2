-- Every connection that only reads says so to the server.
SET SESSION TRANSACTION READ ONLY
