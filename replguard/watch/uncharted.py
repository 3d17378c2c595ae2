"""What changes are judged by where no server is asked: names that are in no catalog, and filters that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.audit.tables import TableMap
from replguard.policy import Classification, Rule, TableClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.engines.base import LinkFilters
    from replguard.model.changes import Change
    from replguard.model.links import Crossing, Fragility
    from replguard.model.tables import Table, TableName
    from replguard.policy import Policy


class Uncharted(TableMap):
    """No catalog: every schema counts, any name may be a table's, and the policy alone classifies."""

    __slots__ = ()

    def in_scope(self, cluster: str, schema: str) -> bool:  # noqa: ARG002 - nothing is out of scope
        return True

    def is_table(self, cluster: str, name: TableName) -> bool:  # noqa: ARG002 - nobody knows better
        return True

    def meant(self, cluster: str, name: TableName) -> tuple[TableName, ...]:  # noqa: ARG002 - which tables ``*`` means is not known
        return (name,)

    def classify(self, name: TableName) -> Classification:
        """By the policy. Of a whole schema nobody knows what is in it: that is asked about where a rule may hit."""
        if name.name == "*" and any(_may_hit(rule, name) for rule in self.policy.rules):
            return Classification(TableClass.unclassified)
        return self.policy.classify(name)


def _may_hit(rule: Rule, schema: TableName) -> bool:
    """Whether a rule may forbid some table of the schema.

    >>> from replguard.model.tables import TableName
    >>> [_may_hit(Rule(glob, TableClass.must_not_sync), TableName("st", "*")) for glob in ("event", "s*.x", "other.x")]
    [True, True, False]
    """
    if rule.table_class is not TableClass.must_not_sync:
        return False
    dots = [index for index, letter in enumerate(rule.pattern) if letter == "."]
    named = [replace(rule, pattern=rule.pattern[:dot]) for dot in dots]
    return not dots or any(part.matches(replace(schema, schema="", name=schema.schema)) for part in named)


def uncharted(policy: Policy) -> Uncharted:
    """All tables there may be, by a policy alone."""
    return Uncharted(("", "-"), (), policy)


@dataclass(frozen=True, slots=True)
class Assumed:
    """Filters of which nobody told any: whatever would pass without one, passes."""

    none: LinkFilters

    def applies(self, change: Change) -> Crossing:
        found = self.none.applies(change)
        return replace(found, why="no filter is known, so none is assumed") if found.crosses else found

    def crosses(self, table: Table) -> Crossing:
        return self.none.crosses(table)

    def lands(self, name: TableName) -> TableName:
        return self.none.lands(name)

    def fragile(self, tables: Sequence[Table]) -> tuple[Fragility, ...]:
        return self.none.fragile(tables)

    def describe(self) -> Mapping[str, Any]:
        return self.none.describe()
