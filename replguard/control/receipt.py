"""The receipt of a pause: who paused what, when and why, and where both sides stood."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.journal import by_whom, folder_of, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.config import Config
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

SCHEMA = "replguard.receipt/1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A pause as it was verified. Positions are texts as the engine prints them."""

    paused_at: str
    by: str
    reason: str | None
    clusters: dict[str, dict[str, str]]
    links: list[dict[str, Any]]
    drained: bool
    schema: str = SCHEMA
    detail: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, pair: Pair, links: tuple[Link, ...], *, drained: bool, reason: str | None) -> Receipt:
        """Read what the servers say now."""
        clusters = {
            server.name: {
                "identity": server.identity.text,
                "version": server.identity.version,
                "position": server.replication.position().text,
            }
            for server in pair
        }
        return cls(_now(), by_whom(), reason, clusters, [_link(link) for link in links], drained)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _link(link: Link) -> dict[str, Any]:
    return {
        "link": link.label,
        "name": link.name,
        "source": link.source,
        "target": link.target,
        "received": link.received.text if link.received else None,
        "applied": link.applied.text if link.applied else None,
    }


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


def store(folder: Path, receipt: Receipt) -> Path:
    path = path_in(folder)
    write_json(path, receipt.as_dict())
    return path


def retire(folder: Path) -> None:
    """Keep the receipt of a pause that has ended, under the time it was ended."""
    path = path_in(folder)
    if path.exists():
        path.replace(folder / f"receipt-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}.json")
