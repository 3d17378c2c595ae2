"""The engines, each in a folder of its own behind the protocols of :mod:`replguard.engines.base`.

The registry is the one place that names them. An engine's folder is imported when a server of it is connected to, so
that a command pays for no driver it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from replguard.engines.base import LOG_HEAD, OtherFlavour
from replguard.errors import ConnectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


def of_files(paths: Sequence[Path]) -> Engine:
    """The engine whose log files these are, told by their first bytes.

    Raises UsageError for a file that cannot be read or is nobody's log, and for files of more than one engine.
    """
    found = {path: _of_file(path) for path in paths}
    if not found:
        raise UsageError("no file is named", remedy="name the log files to be read")
    names = {name: path for path, name in found.items()}
    if len(names) > 1:
        told = ", ".join(f"{path} is of {name}" for name, path in sorted(names.items()))
        raise UsageError(f"the files are of different engines: {told}", remedy="name files of one server")
    return engine(next(iter(names)))


def _of_file(path: Path) -> str:
    from replguard.engines.nologs import head_of, refusal  # noqa: PLC0415 - only who reads files pays for it

    head = head_of(path, LOG_HEAD)
    for name in REGISTRY:
        files = engine(name).files
        if files and files.recognises(head):
            return name
    raise refusal(path, head)
