"""Where to begin and where to end, as a user writes it: ``now``, ``start``, a receipt, a time, or a position."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from replguard.errors import UsageError
from replguard.watch.window import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.positions import Position

    Positions = Mapping[str, Position]
    """By cluster."""
    Since = Literal["now", "start"] | Positions

_WORDS = ("now", "start", "receipt")
FORMS = "now, start, receipt, the path of a receipt, a time as 2026-03-01T12:00:00+01:00, or CLUSTER=POSITION"


def refuse_nonsense(option: str, texts: Iterable[str]) -> None:
    """UsageError for what can be neither a word that is known, nor a time, a file or a position of any engine."""
    for text in texts:
        a_position = any(mark in text for mark in "=:-/")
        if not (a_position or text.strip() in _WORDS or moment(text) or Path(text).exists()):
            raise UsageError(f"{option} {text!r} is not known", remedy=f"write {option} now, or another of: {FORMS}")


def clusters_read(pair: Pair, links: Iterable[Link], *, freeze: bool) -> tuple[str, ...]:
    """The clusters whose streams a watch of these links reads."""
    found = {str(link.source) for link in links}
    found |= {link.target for link in links if pair.server(link.target).capabilities.shows_applied}
    return tuple(server.name for server in pair if freeze or server.name in found)


def beginning(
    texts: Sequence[str],
    pair: Pair,
    clusters: Sequence[str],
    receipt: Callable[[str], Mapping[str, Any] | None],
    option: str = "--since",
) -> tuple[Since, datetime | None]:
    """Where streams begin, and the time before which changes are passed over, as written after ``option``.

    ``receipt`` reads what a text names as one, or gives None. Raises UsageError for what is none of these.
    """
    if len(texts) == 1:
        text = texts[0].strip()
        if text == "now":
            return "now", None
        if text == "start":
            return "start", None
        if (time := moment(text)) is not None:
            return "start", time
        if (held := receipt(text)) is not None:
            return _of_receipt(held, pair, text, option), None
    return _positions(option, texts, pair, clusters), None


def ending(texts: Sequence[str], pair: Pair, clusters: Sequence[str]) -> tuple[Positions, datetime | None]:
    """Positions at which streams end, or the time after which changes are passed over. Raises UsageError."""
    if len(texts) == 1 and (time := moment(texts[0])) is not None:
        return {}, time
    return _positions("--until", texts, pair, clusters), None


def _positions(option: str, texts: Sequence[str], pair: Pair, clusters: Sequence[str]) -> dict[str, Position]:
    found: dict[str, Position] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        named = equals and name in (pair.first.name, pair.second.name)
        if not named and len(clusters) != 1:
            raise UsageError(
                f"{option} {text!r} does not say whose position it is: the streams of "
                f"{' and '.join(clusters) or 'no cluster'} are read",
                remedy=f"write {' '.join(f'{option} {cluster}=POSITION' for cluster in clusters)}; known are {FORMS}",
            )
        server = pair.server(name if named else clusters[0])
        if server.name in found:
            raise UsageError(f"{option} names {server.name} twice", remedy="give each cluster one position")
        found[server.name] = _position(option, rest if named else text, server)
    return found


def _position(option: str, text: str, server: Server) -> Position:
    try:
        return server.streams.parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", remedy=f"write {FORMS}") from None


def _of_receipt(held: Mapping[str, Any], pair: Pair, text: str, option: str) -> Positions:
    """Where both clusters stood when the links were paused, found by the identity of the servers."""
    stood = {facts["identity"]: facts["position"] for facts in held.get("clusters", {}).values()}
    missing = [server.name for server in pair if server.identity.text not in stood]
    if missing:
        raise UsageError(
            f"{option} {text}: the receipt does not know the server of {' and '.join(missing)}",
            remedy="give the receipt of a pause of this pair; after a failover give positions instead",
        )
    return {server.name: _position(option, stood[server.identity.text], server) for server in pair}
