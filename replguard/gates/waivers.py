"""Findings that somebody answers for: the policy's waivers, laid over what the checks found.

A waived finding stays in the report, as information with who waived it, why and until when. What could not be checked
cannot be waived.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.policy import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from replguard.configfile import WaiverSection

CHECK = "policy.waivers"
KEY = "waived"
"""In the evidence of a waived finding."""
_COUNTS = (Severity.fail, Severity.unknown, Severity.warn)


@dataclass(slots=True)
class _Held:
    waiver: WaiverSection
    used: list[Finding] = field(default_factory=list)


def apply(checks: Iterable[Check], waivers: Sequence[WaiverSection], today: date) -> tuple[Check, ...]:
    """The checks with what is waived as information, and one more check that lists the waivers.

    An expired waiver counts as none, and is told.
    """
    held = [_Held(waiver) for waiver in waivers if today <= waiver.until]
    judged = tuple(replace(check, findings=tuple(_waived(item, held) for item in check.findings)) for check in checks)
    if not waivers:
        return (*judged, Check(CHECK, "the policy waives nothing", applicable=False))
    expired = [waiver for waiver in waivers if today > waiver.until]
    used = [one for one in held if one.used]
    summary = "; ".join(_words(one) for one in used) or "none of them was needed"
    over = f"; {len(expired)} expired" if expired else ""
    findings = (*map(_told, used), *(_unused(one.waiver) for one in held if not one.used), *map(_over, expired))
    return (*judged, Check(CHECK, summary + over, findings))


def waived(checks: Iterable[Check]) -> Iterator[Finding]:
    """The findings that were waived."""
    return (finding for check in checks for finding in check.findings if KEY in finding.evidence)


def _waived(finding: Finding, held: Sequence[_Held]) -> Finding:
    if finding.code == NOT_RUN or finding.severity not in _COUNTS:
        return finding
    for one in held:
        if _matches(one.waiver, finding):
            one.used.append(finding)
            note = {"severity": finding.severity.value, **_facts(one.waiver)}
            return replace(finding, severity=Severity.info, evidence={**finding.evidence, KEY: note})
    return finding


def _matches(waiver: WaiverSection, finding: Finding) -> bool:
    table = f"{finding.schema}.{finding.table}" if finding.schema and finding.table else None
    subjects = [one for one in (table, finding.table, finding.link, finding.cluster) if one]
    about = waiver.subject == "*" or any(fits(waiver.subject, one.casefold()) for one in subjects)
    return about and fits(waiver.code, finding.code)


def _facts(waiver: WaiverSection) -> dict[str, Any]:
    return {"reason": waiver.reason, "owner": waiver.owner, "until": waiver.until}


def _words(one: _Held) -> str:
    waiver, count = one.waiver, len(one.used)
    what = f"{waiver.code}" + (f" of {waiver.subject}" if waiver.subject != "*" else "")
    return (
        f"{what} ({count} finding{'s' * (count != 1)}) waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
    )


def _finding(code: str, severity: Severity, waiver: WaiverSection, words: str, remedy: str | None = None) -> Finding:
    evidence = {"code": waiver.code, "subject": waiver.subject, **_facts(waiver)}
    text = (
        f"the waiver of {waiver.code} for {waiver.subject}, which {waiver.owner} answers for ({waiver.reason}), {words}"
    )
    return Finding(code, severity, text, remedy=remedy, evidence=evidence)


def _told(one: _Held) -> Finding:
    count = len(one.used)
    words = f"holds until {one.waiver.until} and excuses {count} finding{'s' * (count != 1)}"
    return _finding("waiver.used", Severity.info, one.waiver, words)


def _unused(waiver: WaiverSection) -> Finding:
    return _finding("waiver.unused", Severity.info, waiver, "excuses nothing in this run", "take it out of the policy")


def _over(waiver: WaiverSection) -> Finding:
    remedy = "mend what it excused, or give it another day under `waivers:`"
    return _finding("waiver.expired", Severity.warn, waiver, f"held until {waiver.until} and counts no more", remedy)
