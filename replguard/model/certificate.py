"""A certificate: that config tables of two clusters are identical, how that was shown, and where both stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - resolved when the JSON schema is generated
from typing import Any, Literal

from replguard.model.findings import ClusterFacts, LinkFacts, TableCoverage  # noqa: TC001 - likewise
from replguard.model.plain import plain, sha256

SCHEMA = "replguard.certificate/1"
HASH = "sha256"


@dataclass(frozen=True, slots=True)
class Pause:
    """The pause under which the comparison was made, by its receipt."""

    paused_at: str
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """SHA-256 of what the comparison went by: the config without secrets and its policy (of their canonical JSON), and
    the receipt of the pause (of its file).
    """

    config: str
    policy: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """``only`` is the glob of ``--tables`` where not all config tables were compared. ``tables`` are all of either
    side, compared or not, with the functions, sums and positions of their comparison and every rule that relaxed it.
    """

    issued_at: datetime
    by: str
    version: str
    started_at: datetime
    finished_at: datetime
    clusters: dict[str, ClusterFacts]
    links: tuple[LinkFacts, ...]
    pause: Pause
    tables: tuple[TableCoverage, ...]
    inputs: Inputs
    only: str | None = None
    strength: Literal["exact"] = "exact"

    def document(self) -> dict[str, Any]:
        """The certificate as plain data, with the hash of its own canonical JSON without that hash."""
        content = {"schema": SCHEMA, **plain(self)}
        return {**content, HASH: sha256(content)}


def is_whole(document: dict[str, Any]) -> bool:
    """Whether nothing of the document was changed since it was made, but that its hash was made anew with it."""
    content = {key: value for key, value in document.items() if key != HASH}
    return document.get("schema") == SCHEMA and document.get(HASH) == sha256(content)
