"""What the gate may know of pauses: the gate asks for it by :class:`replguard.gates.base.Control`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.control import attested, certificate, foretold, locking, ready, receipt
from replguard.errors import ReplguardError
from replguard.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from replguard.engines.pair import Pair
    from replguard.model.findings import Check, Finding, Severity
    from replguard.model.links import Link


MARKER = "marker"


@dataclass(frozen=True, slots=True)
class Known:
    """By the pair's own state folder."""

    folder: Path
    show: Callable[[str], None]

    def receipt(self) -> Mapping[str, Any] | None:
        return receipt.load(self.folder)

    def against_pause(self, pair: Pair) -> Sequence[str]:
        return tuple(certificate.against_pause(self.receipt(), pair))

    @contextmanager
    def marking(self, cluster: str, statement: str) -> Iterator[None]:
        journal = Journal(self.folder)
        for left in journal.unfinished(MARKER):
            left.close("a later one was written")
        self.show(f"on {cluster}: {statement}")
        entry = journal.begin(MARKER, remedy="run `replguard gate --marker` again: the row is overwritten")
        entry.note(f"{cluster}: {statement}")
        try:
            yield
        except ReplguardError:
            entry.close("not written")
            raise
        entry.close("written")

    def attested(self) -> Mapping[str, Mapping[str, Any]]:
        return attested.load(self.folder)

    def operators(self, pair: Pair) -> Sequence[tuple[str, str]]:
        return locking.holders(pair)

    def places(self, pair: Pair, links: Sequence[Link]) -> Check:
        return ready.places(pair, [link for link in links if link.source])

    def retention(
        self, pair: Pair, links: Sequence[Link], pause: float, sample: float, severity: Severity
    ) -> Sequence[Finding]:
        return foretold.findings(pair, links, self.receipt(), pause, sample, severity)

    def unfinished(self) -> Sequence[tuple[str, str]]:
        entries = (entry.data for entry in Journal(self.folder).unfinished())
        return [
            (
                f"a {data['action']} begun at {data['begun_at']} by {data['by']} was not finished",
                data.get("remedy") or "run `replguard pause` or `replguard resume`, whichever is wanted now",
            )
            for data in entries
        ]
