"""Which class a table belongs to: pure, and the only place that knows how rules match.

Rules come from presets and files (:mod:`replguard.config` reads them); tables come from a catalog. Neither is read
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import date
    from decimal import Decimal

    from replguard.model.tables import TableName
    from replguard.predicate import Predicate


GIVEN = "--must-not-sync"
"""The origin of a rule that was given to one run."""


class TableClass(StrEnum):
    must_not_sync = "must_not_sync"
    local = "local"
    config = "config"
    unclassified = "unclassified"


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.casefold()))


def fits(glob: str, folded: str) -> bool:
    """Whether the glob names this case-folded name; a name written out names itself, whatever signs it holds."""
    return glob.casefold() == folded or _compiled(glob).match(folded) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """A glob over table names, ``table`` or ``schema.table``; ``_`` is an underscore, case does not matter.

    ``origin`` says who wrote it (``preset NAME``, ``policy``, ``--must-not-sync``), ``group`` its heading there.
    """

    pattern: str
    table_class: TableClass
    origin: str = "policy"
    group: str | None = None

    def matches(self, table: TableName) -> bool:
        """Whether the rule names this very table.

        >>> from replguard.model.tables import TableName
        >>> Rule("dmz_*", TableClass.must_not_sync).matches(TableName("st", "DMZ_EDGE"))
        True
        >>> Rule("dmz_*", TableClass.must_not_sync).matches(TableName("st", "DMZX"))
        False
        >>> Rule("other.event", TableClass.must_not_sync).matches(TableName("st", "EVENT"))
        False
        """
        schema, name = table.schema.casefold(), table.name.casefold()
        if fits(self.pattern, name):
            return True
        dots = (index for index, letter in enumerate(self.pattern) if letter == ".")
        return any(fits(self.pattern[:dot], schema) and fits(self.pattern[dot + 1 :], name) for dot in dots)

    @property
    def names(self) -> bool:
        """Whether the rule singles tables out; a catch-all, ``*`` or ``schema.*``, does not."""
        return bool(self.pattern.rpartition(".")[2].strip("*"))

    def __str__(self) -> str:
        heading = f" [{self.group}]" if self.group else ""
        return f"{self.table_class.value} {self.pattern!r} ({self.origin}{heading})"


class _Dated:
    """What holds until a day, inclusive."""

    __slots__ = ()
    until: date | None

    def valid_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class ExpectedDifference(_Dated):
    """Rows of a table that may differ or be absent, for a reason, until a day (inclusive)."""

    rule: Rule
    where: Predicate
    reason: str
    until: date | None = None

    def __str__(self) -> str:
        return f"expected_differences {self.rule.pattern!r} where {self.where.text} ({self.rule.origin})"


class Equality(StrEnum):
    """How values of a column may differ and still be called the same; :mod:`replguard.diff.relax` says exactly how."""

    json = "json"
    trim = "trim"
    case = "case"
    float = "float"
    secret = "secret"  # noqa: S105 - a word of the policy


@dataclass(frozen=True, slots=True)
class Relaxation(_Dated):
    """Columns (globs, case does not matter) whose values need not be equal byte by byte.

    ``tolerance`` is the largest absolute distance of two numbers that are called the same, ``relative`` the largest as
    a share of the larger one; either will do. Both are for ``float`` alone.
    """

    rule: Rule
    columns: tuple[str, ...]
    equality: Equality
    reason: str
    tolerance: Decimal | None = None
    relative: Decimal | None = None
    until: date | None = None

    def touches(self, column: str) -> bool:
        """Whether the rule names this column."""
        return any(fits(glob, column.casefold()) for glob in self.columns)

    def fits(self, columns: AbstractSet[str]) -> bool:
        """Whether a table of these columns (case-folded) has one that the rule names."""
        return any(map(self.touches, columns))

    def __str__(self) -> str:
        columns = ", ".join(self.columns)
        return f"relax {self.rule.pattern!r} ({columns}) as {self.equality.value} ({self.rule.origin})"


@dataclass(frozen=True, slots=True)
class RowFilter(_Dated):
    """The only rows of a table that are compared."""

    rule: Rule
    where: Predicate
    reason: str
    until: date | None = None

    def fits(self, columns: AbstractSet[str]) -> bool:
        """Whether a table of these columns (case-folded) has all that the rule asks for."""
        return self.where.columns <= columns

    def __str__(self) -> str:
        return f"only_rows {self.rule.pattern!r} where {self.where.text} ({self.rule.origin})"


@dataclass(frozen=True, slots=True)
class NaturalKey:
    """By which columns rows of a table are paired where each cluster has given them numbers of its own.

    Those of ``ignore`` (such numbers) are not compared, and foreign keys are followed to the parent's natural key.
    """

    rule: Rule
    key: tuple[str, ...]
    reason: str
    ignore: tuple[str, ...] = ()

    def fits(self, columns: AbstractSet[str]) -> bool:
        """Whether a table of these columns (case-folded) has all that the rule names."""
        return {*self.key, *self.ignore} <= columns

    def __str__(self) -> str:
        return f"natural_keys {self.rule.pattern!r} ({', '.join(self.key)}) ({self.rule.origin})"


@dataclass(frozen=True, slots=True)
class AuditTable:
    """A table of each cluster in which the application notes who changed rows of the tables that ``of`` names.

    Its ``key`` columns hold the key of the row, in its order; ``latest`` grows line by line; ``columns`` are shown.
    """

    of: Rule
    table: Rule
    key: tuple[str, ...]
    latest: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """The class of a table and the rule that put it there; ``via`` is the partitioned table the rule names."""

    table_class: TableClass
    rule: Rule | None = None
    via: TableName | None = None
    lookalike: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules of a site.

    must_not_sync beats local beats config. A lookalike beats the catch-all of config, so that it is asked about
    instead of being compared in silence, and is itself beaten by any rule that names the table.
    """

    rules: tuple[Rule, ...] = ()
    lookalikes: tuple[Rule, ...] = ()
    ignored: tuple[tuple[Rule, frozenset[str]], ...] = field(default=())
    expected: tuple[ExpectedDifference, ...] = field(default=())
    relaxations: tuple[Relaxation, ...] = field(default=())
    row_filters: tuple[RowFilter, ...] = field(default=())
    natural_keys: tuple[NaturalKey, ...] = field(default=())
    changed_by: tuple[tuple[Rule, tuple[str, ...]], ...] = field(default=())
    audit_tables: tuple[AuditTable, ...] = field(default=())
    title: str = ""

    def classify(self, table: TableName, ancestors: Iterable[TableName] = ()) -> Classification:
        """The class of ``table``; ``ancestors`` are the partitioned tables above it, which rules cover with it."""
        line = (table, *ancestors)
        for wanted in (TableClass.must_not_sync, TableClass.local):
            if found := self._first(wanted, line):
                return found
        config = self._first(TableClass.config, line)
        if config and config.rule and config.rule.names:
            return config
        for rule in self.lookalikes:
            if any(rule.matches(name) for name in line):
                return Classification(TableClass.unclassified, lookalike=rule.pattern)
        return config or Classification(TableClass.unclassified)

    def _first(self, wanted: TableClass, line: tuple[TableName, ...]) -> Classification | None:
        candidates = sorted(
            (rule for rule in self.rules if rule.table_class is wanted), key=lambda rule: not rule.names
        )
        for rule in candidates:
            for name in line:
                if rule.matches(name):
                    return Classification(wanted, rule, None if name is line[0] else name)
        return None

    def ignored_columns(self, table: TableName) -> frozenset[str]:
        """The columns of ``table``, case-folded, whose values do not matter."""
        return frozenset().union(*(columns for rule, columns in self.ignored if rule.matches(table)))

    def changed_by_columns(self, table: TableName) -> tuple[str, ...]:
        """The columns of ``table`` that tell who changed a row and when, as they were written down."""
        named = (column for rule, columns in self.changed_by if rule.matches(table) for column in columns)
        return tuple({column.casefold(): column for column in named}.values())

    def audits_of(self, table: TableName) -> tuple[AuditTable, ...]:
        return tuple(audit for audit in self.audit_tables if audit.of.matches(table))

    def expected_for(self, table: TableName) -> tuple[ExpectedDifference, ...]:
        return tuple(item for item in self.expected if item.rule.matches(table))

    def relaxations_for(self, table: TableName) -> tuple[Relaxation, ...]:
        return tuple(item for item in self.relaxations if item.rule.matches(table))

    def row_filters_for(self, table: TableName) -> tuple[RowFilter, ...]:
        return tuple(item for item in self.row_filters if item.rule.matches(table))

    def natural_key(self, table: TableName) -> NaturalKey | None:
        """The first rule that gives the table a natural key: the file's stand before the preset's."""
        return next((item for item in self.natural_keys if item.rule.matches(table)), None)

    def expired(self, day: date) -> tuple[ExpectedDifference | Relaxation | RowFilter, ...]:
        """The rules whose day has passed, and which no longer hold."""
        dated: tuple[ExpectedDifference | Relaxation | RowFilter, ...]
        dated = (*self.expected, *self.relaxations, *self.row_filters)
        return tuple(item for item in dated if not item.valid_on(day))

    def unmatched_rules(self, tables: Iterable[TableName]) -> tuple[Rule, ...]:
        """The rules that single out tables and name none of these."""
        names = list(tables)
        return tuple(
            rule for rule in self.rules if rule.pattern.strip("*.") and not any(rule.matches(name) for name in names)
        )
