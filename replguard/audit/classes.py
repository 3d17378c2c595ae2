"""Tables and rules that do not find each other, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from replguard.audit.tables import TableMap
    from replguard.policy import NaturalKey, Relaxation, RowFilter, Rule


def check(tables: TableMap, today: date) -> Check:
    """Tables without a class, rules without a table, rules that are over, and a pair without any table at all."""
    unmatched = _unmatched(tables)
    findings = (*unclassified(tables), *unmatched, *expired(tables, today), *no_table(tables))
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
    ] + [
        Finding(
            "policy.unmatched",
            Severity.info,
            f"{text} {why} on either side",
            remedy="correct its spelling, or take it out if this site has no such thing",
            evidence={"rule": rule.pattern, "origin": rule.origin},
        )
        for text, rule, why in _without_columns(tables)
    ]


def _without_columns(tables: TableMap) -> Iterator[tuple[str, Rule, str]]:
    """The relaxations that find no table, or none that has the columns which they name."""
    policy = tables.policy
    sides = [side for table in tables for side in table.sides.values()]
    rules: tuple[Relaxation | RowFilter | NaturalKey, ...]
    rules = (*policy.relaxations, *policy.row_filters, *policy.natural_keys)
    for item in rules:
        named = [side for side in sides if item.rule.matches(side.name)]
        if not named:
            yield str(item), item.rule, "matches no table"
        elif not any(item.fits({column.name.casefold() for column in side.columns}) for side in named):
            yield str(item), item.rule, "matches no table that has these columns"


def expired(tables: TableMap, today: date) -> list[Finding]:
    """One finding for each rule with an ``until`` that has passed: what it excused counts again."""
    return [
        Finding(
            "policy.expired",
            Severity.warn,
            f"{item} was to hold until {item.until} and holds no longer ({item.reason})",
            remedy="mend what it excused and take it out, or give it another day",
            evidence={"rule": item.rule.pattern, "origin": item.rule.origin, "until": item.until},
        )
        for item in tables.policy.expired(today)
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
