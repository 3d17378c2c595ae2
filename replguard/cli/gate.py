"""``replguard gate``: every check, one verdict."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.durations import seconds
from replguard.cli.forms import PLAIN, GateFormat, exit_code, rendered
from replguard.cli.keeping import Wanted
from replguard.cli.options import Common, Format, command
from replguard.cli.session import Session, run
from replguard.errors import UsageError

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard gate; replguard gate --for switchover --to green; replguard gate --for cutover --to green "
    "--evidence CHG-4711; replguard gate --format nagios"
)


class Purpose(StrEnum):
    setup = "setup"
    nightly = "nightly"
    switchover = "switchover"
    cutover = "cutover"


@command
def gate(
    common: Common,
    *,
    for_: Annotated[
        Purpose,
        typer.Option(
            "--for", help="switchover: before the pause; cutover: after it, links paused and the comparison exact."
        ),
    ] = Purpose.nightly,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="CLUSTER", help="Where traffic is to be moved [default: the target of the link]."),
    ] = None,
    window: Annotated[str, typer.Option("--window", metavar="TIME", help="How long the streams are watched.")] = "5s",
    settle: Annotated[
        str,
        typer.Option("--until", "--settle", metavar="TIME", help="How long rows that move are given to come to rest."),
    ] = "30s",
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="TIME", help="The longest that a check may take beyond its own time.")
    ] = "60s",
    pause: Annotated[
        str | None,
        typer.Option("--pause", metavar="TIME", help="How long the pause is planned to last [default: gate.pause]."),
    ] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
    marker: Annotated[
        bool, typer.Option("--marker", help="Write a token into the table of `gate.marker`, and see it arrive.")
    ] = False,
    attest: Annotated[
        list[str] | None,
        typer.Option("--attest", metavar="NAME", help="Attest what no tool can see (`attestations`); may be repeated."),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="Write report, statements, config and hashes to a new folder."),
    ] = None,
    sign_key: Annotated[
        Path | None,
        typer.Option("--sign-key", metavar="FILE", help="Ed25519 private key that signs the evidence."),
    ] = None,
    format: Annotated[  # noqa: A002 - the name of the option
        GateFormat, typer.Option("--format", help="nagios also ends with that plugin's own exit codes.")
    ] = GateFormat.text,
) -> None:
    """Run every check and give one verdict: may we switch? Stops nothing, and changes nothing but by --marker."""
    given = {
        "to": to,
        "window": seconds(window),
        "settle": seconds(settle),
        "deadline": seconds(deadline),
        "mask": mask,
        "marker": marker,
        "pause": seconds(pause) if pause else None,
    }
    wanted = Wanted(evidence, sign_key, mask=mask)
    shown = None if format in PLAIN else partial(_print, form=format)
    common = replace(common, format=Format(format.value) if format in PLAIN else Format.text)
    code_of = exit_code if format is GateFormat.nagios else None
    run("gate", common, lambda session: _gate(session, for_, given, wanted, tuple(attest or ())), shown, code_of)


def _known(session: Session, attested: tuple[str, ...]) -> None:
    """UsageError for an attestation that the config does not ask for, before any server is asked."""
    if not attested:
        return
    names = [one.name for one in session.config.site.attestations]
    if unknown := [name for name in attested if name not in names]:
        raise UsageError(
            f"the config asks for no attestation {unknown[0]!r}",
            remedy=f"it asks for: {', '.join(names)}" if names else "name it under `attestations:`",
        )


def _ask_for_lacking(session: Session, purpose: Purpose) -> None:
    """At a terminal, ask for what nobody has attested yet, or not any more."""
    if session.common.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for one in session.clusters.unattested(purpose.value):
        text = "".join(sign if sign.isprintable() else "?" for sign in one.text)
        if typer.confirm(f"{one.name}: {text}: do you attest that?", default=False, err=True):
            session.clusters.attest([one.name])


def _print(report: Report, form: GateFormat) -> None:
    sys.stdout.write(rendered(report, form))


def _gate(
    session: Session, purpose: Purpose, given: dict[str, Any], wanted: Wanted, attested: tuple[str, ...]
) -> Report:
    from replguard.cli import checklist  # noqa: PLC0415 - not needed for --help
    from replguard.gates import base  # noqa: PLC0415
    from replguard.gates.run import asked  # noqa: PLC0415

    record = wanted.begin(session)
    _known(session, attested)
    clusters = session.clusters
    options = base.Options(datetime.now(UTC).date(), **given)
    what = base.Purpose(purpose.value)
    clusters.attest(attested)
    _ask_for_lacking(session, purpose)
    with checklist.following(session, asked(what, options)) as shown:
        report = clusters.gate(what, replace(options, progress=shown.progress), shown.on_check, session.say)
    return record.write(session, report) if record else report
