"""What a site needs beside its databases: files that must be equal, endpoints, programs of its own. Needs no server."""
