"""replguard proves that two replicated clusters are identical where they must be and separate where they must be."""

from replguard._version import __version__

__all__ = ["__version__"]
