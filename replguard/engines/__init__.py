"""The engines, each in a folder of its own behind the protocols of :mod:`replguard.engines.base`.

The registry is the one place that names them. An engine's folder is imported when a server of it is connected to, so
that a command pays for no driver it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from replguard.engines.base import OtherFlavour
from replguard.errors import ConnectError

if TYPE_CHECKING:
    from replguard.endpoint import Endpoint
    from replguard.engines.base import Engine, OnStatement, Server

REGISTRY = {
    "mariadb": "replguard.engines.mariadb",
    "mysql": "replguard.engines.mysql",
    "postgresql": "replguard.engines.postgresql",
}


def engine(name: str) -> Engine:
    """The engine of this name; KeyError where the registry has none."""
    return cast("Engine", import_module(REGISTRY[name]).ENGINE)


def connect(endpoint: Endpoint, on_statement: OnStatement) -> Server:
    """Connect to the endpoint with the engine that the server turns out to be, whatever its URL says."""
    try:
        return engine(endpoint.engine).connect(endpoint, on_statement)
    except OtherFlavour as other:
        try:
            return engine(other.engine).connect(endpoint, on_statement)
        except OtherFlavour as again:
            raise ConnectError(
                f"cluster {endpoint.name!r} at {endpoint.address} answers as {other.engine} and as {again.engine}",
                remedy="connect to the database itself, not through a proxy that spreads connections",
                cluster=endpoint.name,
            ) from None
