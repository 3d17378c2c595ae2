"""Two runs held against one another: which findings are new, which persist and since when, which are resolved. Pure.

What a run could not look at is neither: a finding that is not told any more counts as resolved only where its check ran
whole, its table was compared, and nothing that this check says of the table, or of all, is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.model.plain import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NEW, PERSISTING, RESOLVED, UNSEEN = "new", "persisting", "resolved", "unseen"
_NUMBERS = re.compile(r"\d+(?:[.:]\d+)*")
_OF_RULES = ("policy.", "expected.", "filter.")
_ROWS = ("row.missing", "row.extra", "row.differs")
_NOT_RUN = "check.not_run"


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding of a run as the history keeps it. ``since_run`` and ``since_at`` are of the run that told it first
    without an interruption.
    """

    identity: str
    check: str
    finding: dict[str, Any]
    state: str
    since_run: int | None
    since_at: str


def identity(finding: Mapping[str, Any]) -> str:
    """What makes two findings of two runs the same: code, place and key; where it is of no table, or of one of the many
    rules that a table may have, the words without their numbers.

    >>> row = {"code": "row.differs", "schema": "st", "table": "account", "key": {"id": 7}, "message": "a"}
    >>> identity(row) == identity({**row, "message": "b"}), identity(row) == identity({**row, "key": {"id": 8}})
    (True, False)
    >>> lag = {"code": "link.lagging", "link": "blue->green", "message": "61 s behind"}
    >>> identity(lag) == identity({**lag, "message": "75 s behind"}), identity(lag) == identity({**lag, "message": "x"})
    (True, False)
    """
    place = [finding.get(name) for name in ("code", "cluster", "link", "schema", "table")]
    if finding.get("table") is not None and not finding["code"].startswith(_OF_RULES):
        return sha256([*place, finding.get("key")])
    return sha256([*place, _NUMBERS.sub("#", finding["message"])])


def counted(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The findings of a report that are followed from run to run, each with its check: all but mere information.

    What is waived is still there.
    """
    for check in document["checks"]:
        for finding in check["findings"]:
            if finding["severity"] != "info" or "waived" in finding.get("evidence", ()):
                yield check["id"], finding


def compare(document: Mapping[str, Any], before: Iterable[Seen], at: str) -> tuple[list[Seen], list[Seen]]:
    """The findings of this run with their states; and those of the run before that are gone: resolved, or unseen.

    ``at`` is when this run began. What was unseen before and is told again persists.
    """
    known = {one.identity: one for one in before}
    now: dict[str, Seen] = {}
    for check, finding in counted(document):
        name = identity(finding)
        then = known.get(name)
        if then:
            now[name] = Seen(name, check, finding, PERSISTING, then.since_run, then.since_at)
        else:
            now[name] = Seen(name, check, finding, NEW, None, at)
    sight = _Sight.of(document)
    gone = []
    for one in known.values():
        if one.identity not in now:
            state = RESOLVED if sight.shows(one) else UNSEEN
            gone.append(Seen(one.identity, one.check, one.finding, state, one.since_run, one.since_at))
    return list(now.values()), gone


_Table = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a run looked at: the checks that ran whole, tables that were not compared, and by check those of which
    something is unknown or not listed (a table of None stands for all).
    """

    looked: set[str]
    not_compared: set[_Table]
    dim: dict[str, set[_Table]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> _Sight:
        tables = document["coverage"]["tables"]
        return cls(
            {check["id"] for check in document["checks"] if not any(map(_not_run, check["findings"]))},
            {_table(table) for table in tables if table["class"] == "config" and not table["compared"]},
            {check["id"]: {_table(one) for one in check["findings"] if _dim(one)} for check in document["checks"]},
        )

    def shows(self, one: Seen) -> bool:
        """Whether this finding would have been told, were it still there."""
        if one.check not in self.looked:
            return False
        if one.finding["severity"] == "unknown":
            return True
        dim, table = self.dim.get(one.check, set()), _table(one.finding)
        if (None, None) in dim or table in dim or (table == (None, None) and dim):
            return False
        return one.finding["code"] not in _ROWS or table not in self.not_compared


def _table(place: Mapping[str, Any]) -> _Table:
    return place.get("schema"), place.get("table")


def _not_run(finding: Mapping[str, Any]) -> bool:
    return bool(finding["code"] == _NOT_RUN)


def _dim(finding: Mapping[str, Any]) -> bool:
    return finding["severity"] == "unknown" or "not_listed" in finding.get("evidence", ())
