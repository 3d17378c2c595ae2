"""The checks of a watch, and what each of them says in a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.model.findings import Check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.model.findings import Finding, StreamCoverage

SENT = "watch.sent"
APPLIED = "watch.applied"
CONFIGURED = "watch.configured"
FREEZE = "watch.freeze"
PENDING = "watch.pending"
PAUSED = "watch.paused"
_KINDS = {SENT: {"sent"}, APPLIED: {"own"}, FREEZE: {"sent", "own"}, PENDING: {"pending"}}


def check(check_id: str, findings: Iterable[Finding], coverage: Iterable[StreamCoverage]) -> Check:
    """What was seen in the streams that this check looks at."""
    found = tuple(findings)
    read = sum(item.changes for item in coverage if _KINDS[check_id] & set(re.findall(r"\w+", item.kind)))
    return Check(check_id, f"{_seen(check_id, found)} in {read} change{'s' * (read != 1)}", found)


def _seen(check_id: str, findings: tuple[Finding, ...]) -> str:
    codes = ("freeze.", "change to config tables") if check_id == FREEZE else ("leak.", "leak")
    count = sum(
        int(item.evidence.get("count", 1)) if check_id == FREEZE else 1
        for item in findings
        if item.code.startswith(codes[0]) and item.severity.value != "info"
    )
    if not count:
        return f"no {codes[1]} seen"
    return (
        f"{count} {codes[1].replace('change', 'changes') if check_id == FREEZE else codes[1] + 's' * (count != 1)} seen"
    )


def configured(findings: Iterable[Finding]) -> Check:
    """What the filters let through as they are set."""
    found = tuple(findings)
    leaks = sum(finding.code.startswith("leak.") for finding in found)
    what = f"{leaks} table{'s' * (leaks != 1)} would leak" if leaks else "no must_not_sync table would cross"
    return Check(CONFIGURED, what, found)


def paused(findings: Iterable[Finding]) -> Check:
    """Links that are said to be paused and are not."""
    found = tuple(findings)
    return Check(PAUSED, f"{len(found)} paused link{'s' * (len(found) != 1)} came back", found)
