"""Tables and rules that do not find each other, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap


def check(tables: TableMap) -> Check:
    """Tables without a class, rules without a table, and a pair without any table at all."""
    unmatched = _unmatched(tables)
    findings = (*unclassified(tables), *unmatched, *no_table(tables))
    count = len(unmatched)
    summary = f"{len(tables.tables)} tables, {count} rule{'s' * (count != 1)} match{'es' * (count == 1)} nothing"
    return Check("policy.tables", summary, findings)


def unclassified(tables: TableMap) -> list[Finding]:
    """One finding for each table that no rule names: it can be neither compared nor kept apart."""
    return [
        Finding(
            "table.unclassified",
            Severity.unknown,
            f"table {table.name} is in no class"
            + (f" (it looks like {table.classification.lookalike!r})" if table.classification.lookalike else ""),
            schema=table.name.schema,
            table=table.name.name,
            remedy="name it in the policy under must_not_sync, local or config",
        )
        for table in tables.of(TableClass.unclassified)
        if not table.partition
    ]


def _unmatched(tables: TableMap) -> list[Finding]:
    names = [side.name for table in tables for side in table.sides.values()]
    return [
        Finding(
            "policy.unmatched",
            Severity.info,
            f"{rule} matches no table on either side",
            remedy="correct its spelling, or take it out if this site has no such table",
            evidence={"rule": rule.pattern, "origin": rule.origin},
        )
        for rule in tables.policy.unmatched_rules(names)
    ]


def no_table(tables: TableMap) -> list[Finding]:
    """A pair without any table proves nothing, nor does a schema of which nothing was seen."""
    absent = [
        Finding(
            "check.not_run",
            Severity.unknown,
            f"{cluster} has no schema {schema}, which the config names, or hides it",
            cluster=cluster,
            schema=schema,
            remedy="correct its spelling under `schemas:`, or grant SELECT there",
        )
        for cluster, schema in tables.absent
    ]
    if tables.tables:
        return absent
    return [
        *absent,
        Finding(
            "check.not_run",
            Severity.unknown,
            "neither cluster has a table in its scope",
            remedy="check the database of the URLs, and `schemas:`",
        ),
    ]
