"""What a source wrote that its paused link has not applied: config changes in it make a pause fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.diff import pending
from replguard.errors import ServerError
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import TableMap
    from replguard.engines.pair import Pair
    from replguard.model.links import Link


def read(pair: Pair, tables: TableMap, links: Iterable[Link]) -> list[Finding]:
    """Config changes that have not arrived, and forbidden ones that would; other tables do not matter."""
    return [finding for link in links for finding in _of(pair, tables, link)]


def as_data(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The config changes among them, as a receipt lists them."""
    return [
        {"link": one.link, "schema": one.schema, "table": one.table, "changes": one.evidence["changes"]}
        for one in findings
        if one.code == pending.CODE
    ]


def _of(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    try:
        found = pending.waiting(pair, tables, link)
    except ServerError as error:
        return [
            Finding(
                "pause.tail_unknown",
                Severity.unknown,
                f"what {link.target} has not applied of {link.source} could not be read: {error.message}",
                cluster=link.source,
                link=link.label,
                remedy=error.remedy,
            )
        ]
    return [pending.as_failure(finding) for finding in found]
