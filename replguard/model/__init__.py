"""Frozen values that every room of the house speaks in; no input, no output, no engine."""
