"""Every test may ask for a replicating pair: see tests/servers/plugin.py."""

pytest_plugins = ["tests.servers.plugin", "pytester"]
