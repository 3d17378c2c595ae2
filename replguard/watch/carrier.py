"""Which link carries what stands in log files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.errors import StreamError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import LogFile, Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link


def carrier(
    looked: tuple[str, tuple[LogFile, ...]], pair: Pair, links: Sequence[Link], wanted: str | None = None
) -> Link:
    """The link that carries what stands in the files: that of the server that keeps them, or the one that is named.

    Raises UsageError for another engine's files, StreamError where no link fits, or more than one.
    """
    engine, files = looked
    if engine != pair.first.identity.engine:
        raise UsageError(
            f"{files[0].path} is of {engine}, and the clusters are {pair.first.identity.engine}",
            remedy="name the config of the clusters that the files are of",
        )
    if wanted is not None:
        fitting = [link for link in links if wanted in (link.label, link.name)]
    else:
        fitting = [link for link in links if _keeps(pair.server(_keeper(link, files)), files)]
    if len(fitting) == 1:
        return fitting[0]
    labels = ", ".join(link.label for link in links) or "none"
    kept = f"the files are of the server with server_id {files[0].server}"
    which = f"no link is called {wanted!r}" if wanted is not None else f"{kept}, and no link begins or ends there"
    what = "more than one link carries what these files hold" if fitting else which
    raise StreamError(
        f"{what}; the links between the clusters are: {labels}",
        remedy="choose a link with --link NAME, or name its filters in a file with --filters FILE",
    )


def _keeper(link: Link, files: Sequence[LogFile]) -> str:
    """The cluster whose server keeps such files of the link: relay logs lie at its target."""
    return link.target if files[0].received else str(link.source)


def _keeps(server: Server, files: Sequence[LogFile]) -> bool:
    return str(server.identity.detail.get("server_id")) == files[0].server
