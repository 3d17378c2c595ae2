"""The config file that ``init`` writes: read by people, so with comments that say what was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.cli.options import Common

_HEADINGS = {
    TableClass.must_not_sync: "must not sync",
    TableClass.local: "local: neither kept apart nor compared",
    TableClass.config: "config: must be identical",
}


def config_text(common: Common, clusters: dict[str, str], tables: TableMap) -> str:
    """The whole file. Strings are written as JSON, which is YAML."""
    lines = ["# replguard.yaml, written by `replguard init`", "clusters:"]
    lines += [f"  {_key(name)}: {{url: {_text(url)}}}" for name, url in clusters.items()]
    lines.append("policy:")
    if common.preset:
        lines.append(f"  preset: {_text(common.preset)}")
    given = list(common.must_not_sync or ())
    lines.append(f"  must_not_sync: {json.dumps(given, ensure_ascii=False)}")
    lines.append("  local: []")
    lines += _unclassified(tables.of(TableClass.unclassified))
    for table_class, heading in _HEADINGS.items():
        lines += _listed(heading, tables.of(table_class))
    return "\n".join(lines) + "\n"


def _unclassified(tables: Iterable[PairedTable]) -> list[str]:
    found = [table for table in tables if not table.partition]
    if not found:
        return []
    return [
        "",
        "# No rule names these tables. Put each under must_not_sync, local or config:",
        *(f"#   {_comment(table)}" for table in found),
    ]


def _listed(heading: str, tables: Iterable[PairedTable]) -> list[str]:
    found = [table for table in tables if not table.partition]
    if not found:
        return []
    return ["", f"# {heading} ({len(found)}):", *(f"#   {_comment(table)}" for table in found)]


def _comment(table: PairedTable) -> str:
    rule = table.classification.rule
    lookalike = table.classification.lookalike
    why = f"by {rule.pattern!r} of {rule.origin}" if rule else f"looks like {lookalike!r}" if lookalike else ""
    where = "" if len(table.sides) == 2 else f", only on {next(iter(table.sides))}"
    return f"{_one_line(str(table.name))}  {why}{where}".rstrip()


def _one_line(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(text: str) -> str:
    return text if text.isidentifier() else _text(text)
