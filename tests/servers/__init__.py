"""Real servers for tests: pairs as pytest fixtures (:mod:`plugin`) and as a command (``python -m tests.servers``)."""
