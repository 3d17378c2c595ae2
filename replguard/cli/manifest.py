"""``replguard manifest``: list a file or tree with hashes, to be held against another host's."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.options import Common, Format, command
from replguard.cli.session import Session, run
from replguard.errors import ConfigError
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from replguard.model.findings import Report
    from replguard.site.manifest import Manifest

EPILOG = (
    "Examples: replguard manifest /srv/storage -o storage.json; replguard manifest taeh --key-env FILE_KEY "
    "-o taeh.json; replguard manifest s3://bucket/storage -o storage.json"
)


@command
def manifest(
    common: Common,
    place: Annotated[str, typer.Argument(metavar="PATH|URL", help="File, folder, or URL of fsspec (extra `files`).")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where it is written [default: shown].")
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option(
            "--key-env", metavar="NAME", help="Variable that holds a key: hashes tell nothing to who does not have it."
        ),
    ] = None,
) -> None:
    """List a file or tree with sizes and hashes, so that hosts can be compared (`files` in the config)."""
    found: list[Manifest] = []
    shown = partial(_show, found, output) if common.format == Format.text else None
    run("manifest", common, lambda session: _made(session, place, output, key_env, found), shown)


def _made(session: Session, place: str, output: Path | None, key_env: str | None, found: list[Manifest]) -> Report:
    from replguard.cli.wholefile import check_writable, write_whole  # noqa: PLC0415 - not needed for --help
    from replguard.site.manifest import make  # noqa: PLC0415

    if output:
        check_writable(output)
    made = make(place, _key(key_env))
    found.append(made)
    findings = tuple(
        Finding("files.incomplete", Severity.unknown, one, remedy="let whoever runs this read it, and run it again")
        for one in made.problems
    )
    if output:
        write_whole(output, _text(made))
    data = {"file": str(output)} if output else {"manifest": made.document()}
    return session.report((Check("manifest", f"{len(made.entries)} names below {made.root}", findings),), data=data)


def _key(name: str | None) -> bytes | None:
    if name is None:
        return None
    value = os.environ.get(name, "")
    if len(value) < 16:
        raise ConfigError(
            f"the environment has no key of 16 characters or more in {name}",
            remedy=f"the same on all hosts: export {name}=$(openssl rand -hex 32)",
        )
    return value.encode()


def _text(made: Manifest) -> str:
    return json.dumps(made.document(), indent=1, ensure_ascii=True) + "\n"


def _show(found: list[Manifest], output: Path | None, report: Report) -> None:
    for check in report.checks:
        for finding in check.findings:
            sys.stderr.write(f"{finding.severity.value}: {finding.message}\n")
    if found and not output:
        sys.stdout.write(_text(found[0]))
    elif found:
        sys.stderr.write(f"{len(found[0].entries)} names, written to {output}\n")
