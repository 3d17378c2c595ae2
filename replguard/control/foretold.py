"""What a pause of a planned length would meet: the budget of each log, judged before anything is stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from replguard.control import budget, retention
from replguard.control.budget import Since
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.control.budget import Budget, Look
    from replguard.engines.pair import Pair
    from replguard.model.links import Link


def findings(
    pair: Pair,
    links: Sequence[Link],
    held: Mapping[str, Any] | None,
    pause: float,
    sample: float,
    severity: Severity,
) -> list[Finding]:
    """One finding a log, for a pause of ``pause`` seconds; one that holds (``held``) counts from its beginning.

    ``sample`` seconds are spent on a rate where a server knows none. ``severity`` is how much a log matters that does
    not last.
    """
    matched = [link for link in links if link.source]
    if held:
        begun = datetime.fromisoformat(held["paused_at"]) if held.get("paused_at") else datetime.now(UTC)
        judged = retention.judged(retention.look(pair, matched, held.get("guards", ())), held)
    else:
        begun = datetime.now(UTC)
        judged = list(_judged(pair, matched, sample))
    ends = begun + timedelta(seconds=pause)
    found = [_finding(one, ends, pause, severity) for one in judged]
    return found + [_unmatched(link) for link in links if not link.source]


def _judged(pair: Pair, links: Sequence[Link], sample: float) -> Iterator[Budget]:
    first = {one.what: one for one in retention.glance(pair, links)}
    looks = retention.look(pair, links)
    if any(_needs_rate(one) for one in looks):
        time.sleep(sample)
        looks = retention.look(pair, links)
    for one in looks:
        before = first.get(one.what)
        yield budget.judge(one, Since(sample=budget.sampled(before, one) if before else None))


def _needs_rate(look: Look) -> bool:
    return look.kept.mean is None and look.kept.bytes_free is not None


def _finding(found: Budget, ends: datetime, pause: float, severity: Severity) -> Finding:
    kept, text = found.look.kept, budget.words(found)
    planned = f"the pause is planned for {budget.span(pause)}, until {ends:%Y-%m-%d %H:%M} UTC"
    must = found.must_resume_by
    remedy: str | None
    if kept.lost:
        code, severe, remedy = "retention.lost", Severity.fail, "copy the target anew; then set replication up again"
    elif must is not None and must < ends:
        code, severe, text = "retention.short", severity, f"{planned}; {text}"
        remedy = f"raise what is named ({found.limit}), make room, or plan a shorter pause: `gate.pause`"
    elif kept.danger:
        code, severe, text = "retention.danger", severity, f"{kept.danger}; {text}"
        remedy = "resume, or raise the limit, before anything is paused"
    elif must is None:
        code, severe = "retention.unknown", Severity.warn
        remedy = (
            "look at the disk of the log; when you pause, name what is free: "
            f"`replguard pause --free-disk {found.look.cluster}=SIZE`"
        )
    else:
        code, severe, remedy, text = "retention.enough", Severity.info, None, f"{planned}; {text}"
    cluster, link = found.look.cluster, found.look.link
    return Finding(code, severe, text, cluster=cluster, link=link, remedy=remedy, evidence=found.as_data())


def _unmatched(link: Link) -> Finding:
    return Finding(
        "retention.unknown",
        Severity.unknown,
        f"{link.label}: its source is not known, so what that keeps is not known: {link.why_unmatched or ''}",
        cluster=link.target,
        link=link.label,
        remedy="name the link in the config (links:)",
    )
