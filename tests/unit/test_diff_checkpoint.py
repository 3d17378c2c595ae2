"""A comparison that was interrupted goes on where it was, and only with the same question."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING

import pytest

from replguard.diff import drill, ranges, survey
from replguard.diff.checkpoint import Checkpoint
from replguard.diff.survey import Survey
from replguard.diff.tables import Tables
from replguard.errors import ConnectionLost, UsageError
from tests.unit.builders import table_map
from tests.unit.fake_views import View, carrier
from tests.unit.test_diff_survey import MAYBE, NUMBERED, by_number, filled, sized

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.diff.result import TableResult
    from replguard.engines.base import Row
    from replguard.model.tables import Table

TODAY = date(2027, 6, 30)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ranges, survey, drill):
        monkeypatch.setattr(module, "ROWS", 4)
    monkeypatch.setattr(survey, "STATEMENT_ROWS", 4)


def compare(
    point: Checkpoint, blue: View, green: View, compared: Table, lost_after: int | None = None
) -> TableResult | None:
    """One comparison; None where the connection was lost."""
    mapped = table_map([compared], [compared])
    calls = 0

    def pause() -> None:
        nonlocal calls
        calls += 1
        if lost_after is not None and calls > lost_after:
            raise ConnectionLost("gone")

    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"), pause, point.note)
        work = Tables(mapped, found, {"blue": blue, "green": green}, 10, TODAY, point.restore)  # type: ignore[dict-item]
        try:
            (result,) = work.compare(mapped.tables)
        except ConnectionLost:
            point.write()
            return None
        return result


def bag() -> list[Row]:
    return [(b"%03d" % number, b"1") for number in range(40)] + [(None, b"1"), (None, b"2")]


@pytest.mark.parametrize("lost_after", range(10))
@pytest.mark.parametrize("kind", ["numbers", "nullable"])
def test_it_goes_on_where_it_was(tmp_path: Path, lost_after: int, kind: str) -> None:
    path = tmp_path / "state" / "point.json"
    rows: list[Row]
    compared, order = (sized(NUMBERED, 40), by_number) if kind == "numbers" else (sized(MAYBE, 40), lambda key: key)
    rows = filled(40) if kind == "numbers" else bag()
    green_rows: list[Row] = [
        (key, b"other") if key in (b"3", b"003", b"38", b"038") else (key, value) for key, value in rows
    ]
    blue, green = View({"t": rows}, order), View({"t": green_rows}, order)
    assert compare(Checkpoint(path, "it"), blue, green, compared, lost_after) is None
    before = len(blue.asked)
    again = Checkpoint(path, "it")
    again.load()
    result = compare(again, blue, green, compared)
    assert result
    assert result.problem is None
    assert result.rows == {"blue": len(rows), "green": len(rows)}
    assert (result.total, sorted(item.kind for item in result.differences.values())) == (2, ["differs", "differs"])
    whole = View({"t": rows}, order)
    compare(Checkpoint(path, "it"), whole, View({"t": green_rows}, order), compared)
    assert len(blue.asked) - before <= len(whole.asked) - max(lost_after - survey.UNDER_WAY, 0)


def test_another_question_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "point.json"
    with pytest.raises(UsageError, match="no comparison"):
        Checkpoint(path, "it").load()
    Checkpoint(path, "it").write()
    with pytest.raises(UsageError, match="something else"):
        Checkpoint(path, "that").load()
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": "other/1"}))
    with pytest.raises(UsageError, match="something else"):
        Checkpoint(path, "it").load()
