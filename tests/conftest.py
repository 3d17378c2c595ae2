"""Every test may ask for a replicating pair: see tests/servers/plugin.py."""

import os

# Commands that tests start are those of an installation, whose modules are compiled once and not at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["tests.servers.plugin", "pytester"]
