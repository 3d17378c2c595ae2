"""What people have attested: by whom and when, kept beside the pair's receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.journal import by_whom, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from replguard.sitefile import AttestationSection

FILE = "attestations.json"


def load(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """By name: ``by``, ``at`` and a hash of the ``text`` that was attested. Empty where nothing was."""
    return read_json(folder / FILE) or {}


def attest(folder: Path, sections: Iterable[AttestationSection]) -> None:
    """Note that whoever runs this attests these now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    noted = {one.name: {"by": by_whom(), "at": now, "text": one.fingerprint} for one in sections}
    write_json(folder / FILE, {**load(folder), **noted})
