"""What the policy relaxes in the comparison of one table. Pure.

The servers' sums say exactly which rows are not the same; here these are judged once more, row by row, by the rules of
the policy. Rows that are equal need no rule, so what is relaxed is counted by the differences that it excused.

Rows are paired by their exact key: a rule cannot reach into it, and says so (:class:`Unusable`). A table whose key is
written differently on both sides wants a natural key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from replguard.diff import equality
from replguard.diff.values import Display
from replguard.model.findings import TableRelaxation
from replguard.model.tables import ColumnKind
from replguard.policy import Equality, Relaxation, RowFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from replguard.engines.base import Row, Value
    from replguard.model.tables import Table
    from replguard.policy import ExpectedDifference, Policy

    Excuse = Relaxation | RowFilter
    """A rule that excuses single differences."""


class Outcome(StrEnum):
    same = "same"
    """Equal, or equal by a rule."""
    excluded = "excluded"
    """No state of the row is among those that are compared."""
    indeterminate = "indeterminate"
    """Nothing differs but values of which nobody can say whether they mean the same."""
    differs = "differs"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a row stands under the policy: the ``columns`` that differ (or may), the ``rules`` that had a part in it.

    ``relaxed`` are columns that differ and that a rule excuses.
    """

    outcome: Outcome
    columns: tuple[str, ...] = ()
    rules: tuple[Excuse, ...] = ()
    relaxed: tuple[str, ...] = ()

    @property
    def excused(self) -> bool:
        return self.outcome in (Outcome.same, Outcome.excluded)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A rule of the policy that cannot be applied here, so that the comparison is stricter than it asks for."""

    rule: Excuse
    why: str

    @property
    def named(self) -> bool:
        """Whether the rule names what it cannot have; a glob may reach further than was meant."""
        globs = self.rule.columns if isinstance(self.rule, Relaxation) else ()
        return not any(sign in glob for glob in (*globs, self.rule.rule.pattern) for sign in "*?[")


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The rules that hold for one table, for rows of ``columns`` as they are read, by the first side's names."""

    columns: tuple[str, ...]
    by_place: Mapping[int, tuple[Relaxation, ...]]
    filters: tuple[RowFilter, ...]
    display: Display
    unusable: tuple[Unusable, ...] = ()
    rules: tuple[Excuse, ...] = field(default=())

    def judge(self, left: Row | None, right: Row | None) -> Judgement:
        """Judge a row by its states on both sides, None where it is not there."""
        kept_out = self._kept_out(left, right)
        if kept_out:
            return Judgement(Outcome.excluded, rules=kept_out)
        if left is None or right is None:
            return Judgement(Outcome.differs)
        return self._compared(left, right)

    def same(self, left: Row, right: Row) -> bool:
        """Whether rows that are both there count as equal."""
        return self._compared(left, right).outcome is Outcome.same

    def differing(self, left: Row, right: Row) -> tuple[str, ...]:
        """The columns that no rule excuses, those that are indeterminate included."""
        return self._compared(left, right).columns

    def excluded(self, left: Row | None, right: Row | None) -> bool:
        """Whether no state of the row is among those that are compared."""
        return bool(self._kept_out(left, right))

    def form(self, row: Row) -> Row:
        """The row as it is told apart where rows have no key: what ``trim``, ``case`` and ``json`` leave of it.

        Rows of the same form are the same; ``float`` and ``secret`` compare pairs and have no part in it.
        """
        return tuple(
            value if value is None else _form(self.by_place.get(place, ()), value) for place, value in enumerate(row)
        )

    def _kept_out(self, left: Row | None, right: Row | None) -> tuple[RowFilter, ...]:
        """The filters that keep all states of the row out; empty where one state is to be compared."""
        if not self.filters:
            return ()
        found: list[RowFilter] = []
        for row in (left, right):
            if row is None:
                continue
            texts = self.display.texts(row)
            failed = [item for item in self.filters if not item.where.holds(texts)]
            if not failed:
                return ()
            found += failed
        return tuple(dict.fromkeys(found))

    def _compared(self, left: Row, right: Row) -> Judgement:
        differing: list[str] = []
        open_: list[str] = []
        relaxed: list[str] = []
        used: list[Excuse] = []
        for place, (ours, theirs) in enumerate(zip(left, right, strict=True)):
            if ours == theirs:
                continue
            found = _judged(self.by_place.get(place, ()), ours, theirs)
            used += found.rules
            if found.outcome is Outcome.differs:
                differing.append(self.columns[place])
            elif found.outcome is Outcome.indeterminate:
                open_.append(self.columns[place])
            else:
                relaxed.append(self.columns[place])
        outcome = Outcome.differs if differing else Outcome.indeterminate if open_ else Outcome.same
        return Judgement(outcome, (*differing, *open_), tuple(dict.fromkeys(used)), tuple(relaxed))


_DIFFERS = Judgement(Outcome.differs)


def _judged(rules: tuple[Relaxation, ...], ours: Value, theirs: Value) -> Judgement:
    """Two values of a column that are not the same bytes."""
    if ours is None or theirs is None:
        return _DIFFERS
    stored = ours, theirs
    used: list[Relaxation] = []
    for rule in rules:
        if rule.equality in _FORMS:
            before = ours, theirs
            ours, theirs = (_FORMS[rule.equality](value) for value in before)
            if (ours, theirs) != before:
                used.append(rule)
            if ours == theirs:
                return Judgement(Outcome.same, rules=tuple(used))
        elif _alike(rule, ours, theirs):
            return Judgement(Outcome.same, rules=(*used, rule))
    for rule in rules:
        if rule.equality is Equality.secret and equality.indeterminate(*stored):
            return Judgement(Outcome.indeterminate, rules=(rule,))
    return _DIFFERS


_FORMS = {Equality.trim: equality.trimmed, Equality.case: equality.folded}
_ORDER = (Equality.trim, Equality.case, Equality.json, Equality.float, Equality.secret)
"""Rules that meet at one column act together, in this order."""
_FOR_BINARY = frozenset({Equality.json, Equality.secret})
"""Binary columns may hold these. White space and case are of texts, and bytes stay bytes."""


def _alike(rule: Relaxation, ours: bytes, theirs: bytes) -> bool:
    if rule.equality is Equality.json:
        form = equality.json_form(ours)
        return form is not None and form == equality.json_form(theirs)
    return rule.equality is Equality.float and equality.near(ours, theirs, rule.tolerance, rule.relative)


def _form(rules: tuple[Relaxation, ...], value: bytes) -> bytes:
    for rule in rules:
        if rule.equality in _FORMS:
            value = _FORMS[rule.equality](value)
    if any(rule.equality is Equality.json for rule in rules):
        form = equality.json_form(value)
        return b"as it stands:" + value if form is None else b"json:" + form
    return value


def rules_for(policy: Policy, table: Table, columns: Sequence[str], today: date, width: int = 0) -> Relaxed | None:
    """What the policy relaxes for rows of these columns, of which the first ``width`` are the key by which rows are
    paired; None where it relaxes nothing. ``table`` is as the first side has it.
    """
    relaxations = [item for item in policy.relaxations_for(table.name) if item.valid_on(today)]
    filters = [item for item in policy.row_filters_for(table.name) if item.valid_on(today)]
    if not relaxations and not filters:
        return None
    unusable = [*_in_key(relaxations, columns[:width]), *_unreadable(filters, columns)]
    exact = {column.name for column in table.columns if column.kind is ColumnKind.binary}
    refused = {item.rule for item in unusable if isinstance(item.rule, RowFilter)}
    usable = tuple(item for item in filters if item not in refused)
    relaxations.sort(key=lambda item: _ORDER.index(item.equality))
    touching = {
        place: tuple(
            item
            for item in relaxations
            if item.touches(column) and (column not in exact or item.equality in _FOR_BINARY)
        )
        for place, column in enumerate(columns)
        if place >= width
    }
    by_place = {place: rules for place, rules in touching.items() if rules}
    used = dict.fromkeys(rule for rules in by_place.values() for rule in rules)
    return Relaxed(tuple(columns), by_place, usable, Display(table, columns), tuple(unusable), rules=(*used, *usable))


def _in_key(relaxations: Iterable[Relaxation], key: Sequence[str]) -> list[Unusable]:
    return [
        Unusable(rule, f"{', '.join(touched)} is of the key by which rows are paired, and that is exact")
        for rule in relaxations
        if (touched := [column for column in key if rule.touches(column)])
    ]


def _unreadable(filters: Iterable[RowFilter], columns: Sequence[str]) -> list[Unusable]:
    """Filters that ask for a column that is not compared, or whose name two columns share."""
    folded = [column.casefold() for column in columns]
    return [
        Unusable(rule, f"{', '.join(missing)} is no column that is compared")
        for rule in filters
        if (missing := sorted(name for name in rule.where.columns if folded.count(name) != 1))
    ]


def described(
    table: Table,
    policy: Policy,
    today: date,
    relaxed: Relaxed | None = None,
    excused: Mapping[ExpectedDifference | Excuse, int] | None = None,
) -> tuple[TableRelaxation, ...]:
    """Everything by which the comparison of this table was less than exact, for the report.

    ``excused`` counts by rule the differences it had a part in excusing; ignored columns are not looked at, so there is
    nothing to count.
    """
    counts = excused or {}
    ignored = policy.ignored_columns(table.name)
    left_out = tuple(column.name for column in table.columns if column.name.casefold() in ignored)
    found = [TableRelaxation("ignore_columns", "not compared", left_out)] if left_out else []
    natural = policy.natural_key(table.name)
    if natural:
        numbers = tuple(column.name for column in table.columns if column.name.casefold() in natural.ignore)
        text = f"paired by {', '.join(natural.key)}, references by what they lead to"
        text += f", without {', '.join(numbers)}" if numbers else ""
        found.append(TableRelaxation("natural_keys", text, numbers, natural.reason))
    for rule in relaxed.rules if relaxed else ():
        if isinstance(rule, RowFilter):
            found.append(
                TableRelaxation("only_rows", rule.where.text, (), rule.reason, _day(rule.until), counts.get(rule, 0))
            )
        else:
            found.append(_relaxation(rule, relaxed, counts.get(rule, 0)))
    for item in policy.expected_for(table.name):
        if item.valid_on(today):
            text, count = item.where.text, counts.get(item, 0)
            found.append(TableRelaxation("expected_differences", text, (), item.reason, _day(item.until), count))
    return tuple(found)


def _relaxation(rule: Relaxation, relaxed: Relaxed | None, count: int) -> TableRelaxation:
    places = relaxed.by_place.items() if relaxed else ()
    columns = tuple(relaxed.columns[place] for place, rules in places if rule in rules) if relaxed else ()
    bounds = [
        f"{word} {value}"
        for word, value in (("tolerance", rule.tolerance), ("relative", rule.relative))
        if value is not None
    ]
    what = " ".join([f"as {rule.equality.value}", *bounds])
    return TableRelaxation("relax", what, columns, rule.reason, _day(rule.until), count)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
