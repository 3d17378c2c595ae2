"""Are rows of the other side already in the tables that must not sync, as after a clone or an initial copy?"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from replguard.errors import ServerError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.audit.tables import PairedTable
    from replguard.engines.base import Row, Snapshot
    from replguard.gates.base import Context

ROWS = 1000
"""So many rows of each table are read, those with the lowest keys: what was copied is older than what came later."""


class Copied(Gate):
    id = "separate.rows"
    title = "tables that must not sync hold no rows of the other side"
    purpose = (
        "A side that was made from a clone, a backup or an initial copy begins with the other's event queue and "
        "audit log. No stream ever showed these rows, and an application may act on them."
    )
    reads = f"the {ROWS} rows with the lowest keys of each table that must not sync, on both sides, one snapshot a side"
    remedy = "remove the copied rows on the side that did not write them; where both write the same by nature, waive it"
    limits = f"Copied rows above the {ROWS} lowest keys, or changed since, are not found."
    codes = ("separate.copied",)

    def run(self, context: Context) -> Outcome:
        both = [table for table in context.tables.of(TableClass.must_not_sync) if len(table.sides) == 2]
        tables = [table for table in both if not table.partition]
        first, second = context.pair
        with first.rows.snapshot() as one, second.rows.snapshot() as other:
            views = {first.name: one, second.name: other}
            found = [finding for table in tables if (finding := _judged(table, views))]
        return Outcome((Check(self.id, f"{len(tables)} tables looked at", tuple(found)),))


def _judged(table: PairedTable, views: Mapping[str, Snapshot]) -> Finding | None:
    where: dict[str, Any] = {"schema": table.name.schema, "table": table.name.name}
    try:
        rows = [_rows(table, name, view) for name, view in views.items()]
    except ServerError as error:
        words = f"{table.name} could not be read: {error.message}"
        return Finding(NOT_RUN, Severity.unknown, words, cluster=error.cluster, remedy=error.remedy, **where)
    same = sum((rows[0] & rows[1]).values())
    if not same:
        return None
    read = min(sum(one.values()) for one in rows)
    return Finding(
        "separate.copied",
        Severity.fail,
        f"{same} of the first {read} rows of {table.name}, which must not sync, are the same on both sides, as after a "
        "clone or an initial copy",
        remedy="remove them on the side that did not write them, or waive this for tables that are alike by nature",
        evidence={"same": same, "read": read},
        **where,
    )


def _rows(table: PairedTable, cluster: str, view: Snapshot) -> Counter[Row]:
    """By the columns that both sides have, in one order."""
    side = table.sides[cluster]
    common = set.intersection(*({table.fold(one.name) for one in each.columns} for each in table.sides.values()))
    columns = sorted((one.name for one in side.columns if table.fold(one.name) in common), key=table.fold)
    return Counter(islice(view.read(side, columns), ROWS))
