"""The certificate of a comparison: written only of one that passed, exactly, while a pause held by its receipt.

Whether it may be written is asked of the servers once more after the comparison: every link must still stand where the
receipt says that it was paused.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.audit.links import between
from replguard.control import receipt
from replguard.errors import ReplguardError, UsageError
from replguard.journal import by_whom, write_json
from replguard.model.certificate import Certificate, Inputs, Pause
from replguard.model.findings import Check, Finding, Severity, Strength, Verdict
from replguard.model.links import LinkState
from replguard.model.plain import sha256
from replguard.predicate import Predicate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from replguard.config import Config
    from replguard.engines.pair import Pair
    from replguard.model.findings import Report
    from replguard.model.links import Link

CHECK = "diff.certificate"


@dataclass(frozen=True, slots=True)
class Request:
    """Where a certificate is wanted."""

    path: Path

    def check(self) -> None:
        """UsageError where no new file can be written there: known before anything is compared."""
        if self.path.exists():
            raise UsageError(f"{self.path} exists, and a certificate is never written over another file")
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise UsageError(f"no file can be written to {self.path}", remedy="name a file in a folder that exists")

    def issue(self, report: Report, config: Config, pair: Pair, folder: Path, only: str | None) -> Check:
        """Write it, or tell why it may not be written; see :func:`issue`."""
        return issue(report, config, pair, folder, self.path, only)


def issue(report: Report, config: Config, pair: Pair, folder: Path, path: Path, only: str | None) -> Check:
    """Write the certificate, or tell why none may be written: then no file is there.

    ``folder`` is where the pair's receipt lies, ``only`` the glob of tables that were asked for.
    """
    try:
        held = receipt.load(folder)
        against = [*_against_report(report), *against_pause(held, pair)]
        if not against and held:
            write_json(path, _certificate(report, config, held, folder, only).document())
    except ReplguardError as error:
        against = [error.message]
    if against:
        return Check(CHECK, "not written", tuple(_not_written(why) for why in against))
    told = Finding("certificate.written", Severity.info, "a certificate was written", evidence={"file": str(path)})
    return Check(CHECK, f"written to {path}", (told,))


def _against_report(report: Report) -> Iterator[str]:
    if report.verdict is not Verdict.passed:
        yield f"the verdict is {report.verdict.value}"
    if any("waived" in finding.evidence for check in report.checks for finding in check.findings):
        yield "findings were waived, which excuses them and does not make them untrue"
    if report.strength is not Strength.exact:
        yield f"the comparison is {report.strength.value if report.strength else 'of no known strength'}, not exact"
    if not any(table.compared for table in report.coverage.tables):
        yield "no table was compared"


def against_pause(held: Mapping[str, Any] | None, pair: Pair) -> Iterator[str]:
    """What speaks against the receipt proving that nothing has moved between the clusters since the pause."""
    if held is None:
        yield "no pause of this pair holds: there is no receipt"
        return
    if held.get("schema") != receipt.SCHEMA or held.get("drained") is not True:
        yield "the receipt is none of a pause that was drained and verified"
        return
    named = {name: facts["identity"] for name, facts in held["clusters"].items()}
    if set(named.values()) != {server.identity.text for server in pair}:
        yield "the receipt is of other servers"
    links = pair.links()
    if any(link.source is None for link in links):
        yield "a link is there whose source is not known"
    ours = between(links, (pair.first.name, pair.second.name))
    places = {(entry["target"], entry["name"]): entry for entry in held["links"]}
    if {(link.target, link.name) for link in ours} != set(places) or not places:
        yield "the links are not those of the receipt"
        return
    for link in ours:
        yield from _moved(link, places[link.target, link.name])


def _moved(link: Link, entry: dict[str, Any]) -> Iterator[str]:
    if link.state is not LinkState.paused:
        yield f"{link.label} is {link.state.value}"
    # What MySQL calls applied holds the target's own transactions too: then what was received tells.
    received, applied = (position.text if position else None for position in (link.received, link.applied))
    if None in (applied, entry["applied"]) or (applied != entry["applied"] and received in (None, "")):
        yield f"{link.label} stands at {applied}, and was paused at {entry['applied']}"
    elif applied != entry["applied"] and received != entry["received"]:
        yield f"{link.label} has received {received}, and was paused at {entry['received']}"


def _certificate(report: Report, config: Config, held: dict[str, Any], folder: Path, only: str | None) -> Certificate:
    return Certificate(
        issued_at=datetime.now(UTC),
        by=by_whom(),
        version=report.version,
        started_at=report.started_at,
        finished_at=report.finished_at,
        clusters=report.clusters,
        links=report.links,
        pause=Pause(held["paused_at"], held["by"], held.get("reason")),
        tables=report.coverage.tables,
        inputs=Inputs(
            config=sha256(without_secrets(config)),
            policy=sha256(sorted_data(config.policy)),
            receipt=hashlib.sha256(receipt.path_in(folder).read_bytes()).hexdigest(),
        ),
        only=only,
    )


def without_secrets(config: Config) -> dict[str, Any]:
    """Where the clusters are and what is expected of their links: neither passwords nor options, which may hold one."""
    clusters = [
        {
            "name": one.name,
            "engine": one.engine,
            "host": one.host,
            "port": one.port,
            "user": one.user,
            "database": one.database,
            "schemas": one.schemas,
        }
        for one in config.endpoints
    ]
    links = config.links if isinstance(config.links, str) else [dict(link) for link in config.links]
    return {"clusters": clusters, "links": links}


def sorted_data(value: Any) -> Any:
    """The policy as plain data that is the same in every process: sets in order, predicates by their text."""
    if isinstance(value, Predicate):
        return value.text
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (list, tuple)):
        return [sorted_data(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: sorted_data(getattr(value, item.name)) for item in fields(value)}
    return value


def _not_written(why: str) -> Finding:
    return Finding(
        "certificate.not_written",
        Severity.unknown,
        f"no certificate was written: {why}",
        remedy="pause all links with `replguard pause`, compare again, and mend what differs",
    )
