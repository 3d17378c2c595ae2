"""``replguard init``: asks the two servers and writes a config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.options import Common, command
from replguard.cli.session import Session, clusters_of, run
from replguard.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap
    from replguard.model.findings import Report

EPILOG = (
    "Example: replguard init --cluster 'blue=mariadb://replguard:${BLUE_PASSWORD}@10.0.0.1/st' "
    "--cluster 'green=mariadb://replguard:${GREEN_PASSWORD}@10.0.1.1/st' --preset securetransport-zero-downtime"
)


@command
def init(
    common: Common,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write.")] = Path(
        "replguard.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
) -> None:
    """Ask the two servers and write a config with every table classified, or listed as unclassified."""
    run("init", _asked(common), lambda session: _init(session, output, force=force))


def _asked(common: Common) -> Common:
    """The options, with what is missing asked for on a terminal."""
    if common.cluster or not _terminal():
        return common
    clusters = []
    for ordinal in ("first", "second"):
        name = typer.prompt(
            f"Name of the {ordinal} cluster", default={"first": "blue", "second": "green"}[ordinal], err=True
        )
        url = typer.prompt(f"URL of {name} (write its password as ${{NAME}})", err=True)
        clusters.append(f"{name}={url}")
    preset = common.preset or typer.prompt("Preset (empty for none)", default="", show_default=False, err=True)
    values = {name: getattr(common, name) for name in Common.__slots__}
    return Common(**{**values, "cluster": clusters, "preset": preset or None})


def _terminal() -> bool:
    import sys  # noqa: PLC0415

    return sys.stdin.isatty() and sys.stderr.isatty()


def _init(session: Session, output: Path, *, force: bool) -> Report:
    from replguard.audit.classes import no_table, unclassified  # noqa: PLC0415
    from replguard.cli.written import config_text  # noqa: PLC0415
    from replguard.model.findings import Check, Severity  # noqa: PLC0415

    if not session.common.cluster:
        raise UsageError("init needs both clusters", remedy="give --cluster NAME=URL twice")
    if output.exists() and not force:
        raise ConfigError(f"{output} exists", remedy="name another file with -o, or overwrite it with --force")
    tables = session.clusters.tables()
    text = config_text(session.common, clusters_of(session.common.cluster), tables)
    _write(output, text)
    session.say(f"wrote {output}")
    # The file is written: what is left to decide is no failure of this command, and the gate will ask for it.
    left = tuple(replace(finding, severity=Severity.warn) for finding in unclassified(tables))
    check = Check("init", f"wrote {output}: {_counts(tables)}", (*left, *no_table(tables)))
    return session.report((check,), data={"file": str(output)})


def _counts(tables: TableMap) -> str:
    from collections import Counter  # noqa: PLC0415

    counts = Counter(table.table_class.value for table in tables)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no tables"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", remedy="name another file with -o") from None
