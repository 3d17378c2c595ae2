"""Has somebody said what no tool can see?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.gates.base import Context
    from replguard.sitefile import AttestationSection


class Attestations(Gate):
    id = "site.attestations"
    title = "what no tool can see was attested"
    purpose = (
        "That monitors are stopped, that users were told, that a backup was tried: somebody has to say so by name."
    )
    reads = "what was attested with `gate --attest NAME`, by whom and when; the config says for how long it holds"
    remedy = "make sure of it, then `replguard gate --attest NAME`"
    limits = "It is as true as who said it."
    codes = ("attestation.missing", "attestation.expired", "attestation.given")

    def run(self, context: Context) -> Outcome:
        wanted = [one for one in context.config.site.attestations if context.purpose.value in one.when]
        if not wanted:
            return Outcome((Check(self.id, "the config asks for none", applicable=False),))
        given = context.control.attested()
        findings = tuple(_judged(one, given.get(one.name)) for one in wanted)
        count = sum(finding.severity is Severity.info for finding in findings)
        return Outcome((Check(self.id, f"{count} of {len(wanted)} given", findings),))


def lacking(
    sections: Iterable[AttestationSection], purpose: str, given: Mapping[str, Mapping[str, Any]]
) -> list[AttestationSection]:
    """Those that are asked for and not given, or not any more."""
    asked = [one for one in sections if purpose in one.when]
    return [one for one in asked if _judged(one, given.get(one.name)).severity is not Severity.info]


def _judged(section: AttestationSection, given: Mapping[str, Any] | None) -> Finding:
    remedy = f"make sure of it, then give --attest {section.name}"
    evidence = {"name": section.name}
    if given is None or given["text"] != section.fingerprint:
        words = f"nobody has attested: {section.text}"
        return Finding("attestation.missing", Severity.unknown, words, remedy=remedy, evidence=evidence)
    until = datetime.fromisoformat(given["at"]) + timedelta(hours=section.hours)
    words = f"{given['by']} attested at {given['at']}: {section.text}"
    if datetime.now(UTC) > until:
        words += f" (held until {until:%Y-%m-%d %H:%M} UTC)"
        return Finding("attestation.expired", Severity.unknown, words, remedy=remedy, evidence=evidence)
    facts = {**evidence, "by": given["by"], "at": given["at"], "until": until.isoformat()}
    return Finding("attestation.given", Severity.info, words, evidence=facts)
