"""replguard proves that two replicated clusters are identical where they must be and separate where they must be.

What is exported here is the library; :mod:`replguard.api` describes it. Names are loaded on first use, so that
``import replguard`` costs nothing that is not needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from replguard._version import __version__

if TYPE_CHECKING:
    from replguard.api import Clusters, connect, load_config, load_policy, scan
    from replguard.config import Config
    from replguard.errors import ReplguardError
    from replguard.model.findings import Check, Finding, Report, Severity, Verdict

__all__ = [
    "Check",
    "Clusters",
    "Config",
    "Finding",
    "ReplguardError",
    "Report",
    "Severity",
    "Verdict",
    "__version__",
    "connect",
    "load_config",
    "load_policy",
    "scan",
]

_HOMES = {
    "Check": "replguard.model.findings",
    "Clusters": "replguard.api",
    "Config": "replguard.config",
    "Finding": "replguard.model.findings",
    "ReplguardError": "replguard.errors",
    "Report": "replguard.model.findings",
    "Severity": "replguard.model.findings",
    "Verdict": "replguard.model.findings",
    "connect": "replguard.api",
    "load_config": "replguard.api",
    "load_policy": "replguard.api",
    "scan": "replguard.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'replguard' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
