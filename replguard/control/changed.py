"""The check of resume that asks what changed while the links stood, and what of it was accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.control import conflicts, since
from replguard.control.settle import Settlement, settle
from replguard.model.findings import Check, Coverage, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from replguard.audit.tables import TableMap
    from replguard.control.conflicts import Judged
    from replguard.control.since import Seen
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

CHECK = "resume.changes"


@dataclass(frozen=True, slots=True)
class Accepted:
    """``changes`` of one side, and of both where there is a ``winner``.

    ``no_receipt``: a pause died a moment ago, before it could write one. What waits in the links is ordinary traffic.
    """

    changes: bool = False
    winner: str | None = None
    no_receipt: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What was found, as a check, as it was judged, and as plain data for a report."""

    check: Check
    judged: Judged
    seen: Seen
    data: dict[str, Any]

    def parts(self) -> dict[str, Any]:
        """What becomes part of an outcome."""
        return {"conflicts": self.data, "coverage": Coverage(streams=self.seen.read)}


@dataclass(frozen=True, slots=True)
class Situation:
    """The links between the clusters, those of them that stand, and the receipt of the pause where there is one."""

    pair: Pair
    tables: TableMap
    links: tuple[Link, ...]
    standing: tuple[Link, ...]
    held: Mapping[str, Any] | None


def look(now: Situation, accepted: Accepted, folder: Path, today: date) -> Changes:
    """Read what changed, hold both sides against one another, and say what the winner needs; files go to ``folder``."""
    held = now.held
    seen = since.look(now.pair, now.tables, now.standing, held, today)
    judged = conflicts.judge(seen.touches, frozenset(str(link.source) for link in now.links))
    settled = None
    if judged.conflicts and accepted.winner:
        settled = settle(now.pair, now.tables, now.links, judged.conflicts, accepted.winner, folder)
    ready = settled is not None and not settled.first and not settled.blocked
    findings = (
        *seen.leaks,
        *conflicts.findings(judged, changes=accepted.changes or accepted.no_receipt, conflicts=ready),
        *(_settlement(settled) if settled else ()),
        *(_without_receipt(finding, accepted) for finding in seen.unknown),
    )
    data = {
        **_data(judged, seen, held),
        "accepted": {"changes": accepted.changes, "winner": accepted.winner},
        "settlement": settled.as_data() if settled else None,
    }
    return Changes(Check(CHECK, _summary(judged, held), findings), judged, seen, data)


def _summary(judged: Judged, held: Mapping[str, Any] | None) -> str:
    when = f"since {held['paused_at']}" if held and held.get("paused_at") else "since the links stand"
    if not judged.stop:
        return f"no config table changed {when}"
    return (
        f"{when}: {len(judged.flows)} changed on one side and will flow, {len(judged.stays)} on one side and will not, "
        f"{len(judged.conflicts)} on both"
    )


def _data(judged: Judged, seen: Seen, held: Mapping[str, Any] | None) -> dict[str, Any]:
    before = held or {}
    return {
        "paused_at": before.get("paused_at"),
        "since": {name: facts.get("position") for name, facts in before.get("clusters", {}).items()},
        **conflicts.as_data(judged),
        "harmless": seen.harmless,
    }


def _without_receipt(finding: Finding, accepted: Accepted) -> Finding:
    if finding.code == "resume.no_receipt" and accepted.no_receipt:
        return replace(finding, severity=Severity.info)
    return finding


def _settlement(settled: Settlement) -> Iterator[Finding]:
    """What somebody must do so that one side wins."""
    for blocked in settled.blocked:
        yield _told(
            settled,
            Severity.fail,
            f"{settled.winner} cannot win by statements on {settled.loser} alone: {blocked}",
            f"let {settled.loser} win, then make it on both what {settled.winner} had; or mend the row by hand",
        )
    if settled.file and settled.first:
        yield _told(
            settled,
            Severity.fail,
            f"{settled.rows} rows of {settled.loser} must be prepared before the links can be started, so that "
            f"{settled.winner} wins",
            f"read {settled.file}, run it on {settled.loser}, then resume again with --accept-changes={settled.winner}",
        )
    elif settled.file:
        yield _told(
            settled,
            Severity.warn,
            f"statements that make {settled.rows} rows of {settled.loser} those of {settled.winner} were written",
            f"read {settled.file} and run it on {settled.loser}: links may overwrite these rows when they are started"
            if settled.travels
            else f"compare with `replguard diff`; where rows still differ, {settled.file} has the statements for "
            f"{settled.loser}",
        )
    for left in settled.left:
        yield _told(settled, Severity.warn, f"no statement says how {settled.winner} wins: {left}", None)


def _told(settled: Settlement, severity: Severity, message: str, remedy: str | None) -> Finding:
    evidence = {"file": settled.file, "rows": settled.rows, "before_start": settled.first}
    return Finding("resume.settlement", severity, message, cluster=settled.loser, remedy=remedy, evidence=evidence)
