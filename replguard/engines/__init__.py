"""The engines, each in a folder of its own behind the protocols of :mod:`replguard.engines.base`."""
