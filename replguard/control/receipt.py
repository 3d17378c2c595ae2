"""The receipt of a pause: who paused what, when and why, where both sides stood, and what was left for resume to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.journal import by_whom, folder_of, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from replguard.config import Config
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

SCHEMA = "replguard.receipt/1"


@dataclass(frozen=True, slots=True)
class Left:
    """What a pause did and saw beside stopping links. Plain data; receipts from before know nothing of it.

    ``tail`` are config changes beyond the applied positions: link, schema, table, changes. ``held`` are steps that keep
    links stopped over a restart, ``guards`` slots that keep a cluster's log: both are taken back by resume. ``memory``
    is by cluster what tells later which rows changed, ``budget`` how long the pause may last.
    """

    tail: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    guards: list[dict[str, Any]] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A pause as it was verified. Positions are texts as the engine prints them.

    ``drained`` says that every link had applied what its source had when the pause was called.
    """

    paused_at: str
    by: str
    reason: str | None
    clusters: dict[str, dict[str, Any]]
    links: list[dict[str, Any]]
    drained: bool
    schema: str = SCHEMA
    detail: dict[str, Any] = field(default_factory=dict)
    tail: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    guards: list[dict[str, Any]] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        pair: Pair,
        links: tuple[Link, ...],
        *,
        reason: str | None,
        drained: Collection[str] = (),
        left: Left | None = None,
    ) -> Receipt:
        """Read what the servers say now. ``drained`` are the labels of the links that were."""
        return cls(
            _now(),
            by_whom(),
            reason,
            {server.name: _cluster(server) for server in pair},
            [_link(link, drained=link.label in drained) for link in links],
            bool(links) and all(link.label in drained for link in links),
            **(asdict(left) if left else {}),
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _cluster(server: Server) -> dict[str, Any]:
    identity = server.identity
    return {
        "identity": identity.text,
        "engine": identity.engine,
        "version": identity.version,
        "timeline": identity.detail.get("timeline"),
        "position": server.replication.position().text,
        "detail": dict(identity.detail),
    }


def _link(link: Link, *, drained: bool) -> dict[str, Any]:
    return {
        "link": link.label,
        "name": link.name,
        "source": link.source,
        "target": link.target,
        "received": link.received.text if link.received else None,
        "applied": link.applied.text if link.applied else None,
        "drained": drained,
    }


def drained_links(held: Mapping[str, Any] | None) -> set[str]:
    """The labels of the links that a receipt calls drained; one from before says it of all links together."""
    if held is None:
        return set()
    return {entry["link"] for entry in held["links"] if entry.get("drained", held.get("drained"))}


def moved(link: Link, held: Mapping[str, Any]) -> str | None:
    """What shows that the link ran since the receipt was written, in words; None where nothing does.

    What was received tells, as it is of this link alone; where a server does not tell it, what was applied.
    """
    entry = next((one for one in held["links"] if (one["target"], one["name"]) == (link.target, link.name)), None)
    if entry is None:
        return None
    received, applied = (position.text if position else None for position in (link.received, link.applied))
    if entry["received"] and received:
        return None if received == entry["received"] else f"it has received {received}, not {entry['received']}"
    if (
        received is entry["received"] is None
        and None not in (applied, entry["applied"])
        and applied != entry["applied"]
    ):
        return f"it stands at {applied}, not at {entry['applied']}"
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def state_folder(config: Config, pair: Pair) -> Path:
    """Where receipt and journal of this pair lie: by server identity, so that any config finds them."""
    return folder_of(config.state_dir, (server.identity.text for server in pair))


def path_in(folder: Path) -> Path:
    return folder / "receipt.json"


def load(folder: Path) -> dict[str, Any] | None:
    """The receipt of the pause that holds now; None where nothing was paused by replguard."""
    return read_json(path_in(folder))


def store(folder: Path, receipt: Receipt | Mapping[str, Any]) -> Path:
    path = path_in(folder)
    write_json(path, receipt.as_dict() if isinstance(receipt, Receipt) else receipt)
    return path


def retire(folder: Path) -> None:
    """Keep the receipt of a pause that has ended, under the time it was ended."""
    path = path_in(folder)
    if path.exists():
        path.replace(folder / f"receipt-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}.json")
