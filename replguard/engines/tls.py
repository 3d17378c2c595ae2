"""What a cluster's URL says about TLS that is the same for every engine: files that must be there, words for errors.

What is wrong with files or options is known without a server and is a ConfigError; what comes of a handshake is told
by the engine in the words of :func:`refused`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from replguard.errors import ConfigError, ConnectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.endpoint import Endpoint


def files(endpoint: Endpoint, given: Mapping[str, str]) -> None:
    """ConfigError unless every file of ``given``, by its option's name, is there and can be read."""
    for option, path in given.items():
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise ConfigError(
                f"cluster {endpoint.name}: {option}={path} cannot be read: {error.strerror or error}",
                remedy=f"correct {option} in the cluster's URL; a path that does not begin with / is looked for from "
                "the folder in which replguard runs",
                cluster=endpoint.name,
            ) from None


def together(endpoint: Endpoint, options: Mapping[str, str], one: str, other: str) -> None:
    """ConfigError where a certificate stands without its key, or a key without its certificate."""
    given = [option for option in (one, other) if option in options]
    if len(given) == 1:
        lacking = other if given == [one] else one
        raise ConfigError(
            f"cluster {endpoint.name}: the URL has {given[0]} and no {lacking}",
            remedy=f"a client certificate is two files: give {one} and {other}, or neither",
            cluster=endpoint.name,
        )


def contradicts(endpoint: Endpoint, weak: str, strong: str) -> ConfigError:
    """The error of a URL that asks for TLS and allows a connection without it in one breath."""
    return ConfigError(
        f"cluster {endpoint.name}: {weak} allows a connection without TLS, and {strong} asks for TLS",
        remedy=f"remove {weak}, or {strong}",
        cluster=endpoint.name,
    )


def refused(endpoint: Endpoint, where: str, why: str, remedy: str) -> ConnectError:
    """The error of a handshake that one of the two ends broke off."""
    return ConnectError(f"no secure connection to {where}: {why}", remedy=remedy, cluster=endpoint.name)


def plain(endpoint: Endpoint, where: str) -> ConnectError:
    """The error of a server that offers no TLS where the URL asks for it: it is never spoken to without."""
    remedy = "switch TLS on at the server; or, where the way there is safe, take the TLS options out of the URL"
    return refused(endpoint, where, "the server offers no TLS, and the cluster's URL asks for it", remedy)
