"""Rows paired by their natural key, references followed; whatever is not certain is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replguard.diff.natural import Matched, Natural, with_parents
from replguard.errors import Unsupported
from replguard.model.tables import Column, ColumnKind, ForeignKey, Table
from replguard.policy import Equality, NaturalKey, Policy, Relaxation, Rule, TableClass
from tests.unit.builders import name, rules, table, table_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.base import Row

TODAY = date(2027, 6, 30)
ID = Column("id", "bigint", ColumnKind.integer, nullable=False)
NAME = Column("name", "text")


def number(text: str) -> Column:
    return Column(text, "bigint", ColumnKind.integer)


def leads(child: str, columns: Sequence[str], parent: str, to: Sequence[str] = ("id",)) -> ForeignKey:
    key = f"{child}_{'_'.join(columns)}"
    return ForeignKey(key, name(child), name(parent), "NO ACTION", "NO ACTION", tuple(columns), tuple(to))


SERVICE = table("service", ID, NAME, Column("impl", "text"))
CHANNEL = table(
    "channel",
    ID,
    NAME,
    Column("kind", "text"),
    number("service_id"),
    foreign_keys=(leads("channel", ["service_id"], "service"),),
)
PERMIT = table(
    "permit",
    ID,
    number("channel_id"),
    Column("pattern", "text"),
    foreign_keys=(leads("permit", ["channel_id"], "channel"),),
)
DETAIL = table("detail", ID, Column("realm", "text"), foreign_keys=(leads("detail", ["id"], "channel"),))
TABLES = (SERVICE, CHANNEL, PERMIT, DETAIL)
KEYS = {
    "service": (["name"], ["id"]),
    "channel": (["name", "kind"], ["id"]),
    "permit": (["channel_id", "pattern"], ["id"]),
    "detail": (["id"], []),
}


def keys(**wanted: tuple[Sequence[str], Sequence[str]]) -> tuple[NaturalKey, ...]:
    return tuple(
        NaturalKey(Rule(table, TableClass.config), tuple(key), "installed separately", tuple(ignore))
        for table, (key, ignore) in wanted.items()
    )


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot of tables whose rows are given by column."""

    rows: Mapping[str, Sequence[Mapping[str, object]]]

    def read(self, table: Table, columns: Sequence[str]) -> Iterator[Row]:
        for row in self.rows.get(table.name.name, ()):
            yield tuple(None if row.get(column) is None else str(row[column]).encode() for column in columns)


BLUE = {
    "service": [{"id": 1, "name": "ping", "impl": "p"}, {"id": 2, "name": "pong", "impl": "q"}],
    "channel": [
        {"id": 7, "name": "a", "kind": "in", "service_id": 1},
        {"id": 8, "name": "a", "kind": "out", "service_id": 2},
        {"id": 9, "name": "none", "kind": "in", "service_id": None},
    ],
    "permit": [{"id": 1, "channel_id": 7, "pattern": "*"}, {"id": 2, "channel_id": 8, "pattern": "*"}],
    "detail": [{"id": 7, "realm": "x"}],
}
GREEN = {
    "service": [{"id": 11, "name": "pong", "impl": "q"}, {"id": 12, "name": "ping", "impl": "p"}],
    "channel": [
        {"id": 1, "name": "a", "kind": "out", "service_id": 11},
        {"id": 2, "name": "none", "kind": "in", "service_id": None},
        {"id": 7, "name": "a", "kind": "in", "service_id": 12},
    ],
    "permit": [{"id": 5, "channel_id": 1, "pattern": "*"}, {"id": 6, "channel_id": 7, "pattern": "*"}],
    "detail": [{"id": 7, "realm": "x"}],
}


def natural(
    blue: Mapping = BLUE, green: Mapping = GREEN, tables: Sequence[Table] = TABLES, wanted: Mapping = KEYS, **parts
) -> Natural:
    relaxations = parts.pop("relaxations", ())
    policy = Policy(rules=rules(config=["*"]), natural_keys=keys(**wanted), relaxations=relaxations)
    views = {"blue": View(blue), "green": View(green)}
    return Natural(table_map(tables, parts.pop("theirs", tables), policy), views, TODAY, **parts)  # type: ignore[arg-type]


def matched(text: str, found: Natural) -> Matched:
    (wanted,) = [one for one in found.tables if one.name.name == text]
    return found.match(wanted)


def changed(side: Mapping, text: str, place: int, **values) -> dict:
    rows = [dict(row) for row in side[text]]
    rows[place] |= values
    return {**side, text: rows}


def refused(text: str, found: Natural) -> str:
    with pytest.raises(Unsupported) as caught:
        matched(text, found)
    assert caught.value.remedy or "natural key" in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("text", [one.name.name for one in TABLES])
def test_clusters_with_other_numbers_are_the_same(text: str) -> None:
    found = matched(text, natural())
    assert found.unlike == []
    assert found.rows == (len(BLUE[text]), len(GREEN[text]))
    assert "id" not in found.columns or text == "detail"


def test_references_read_as_what_they_lead_to() -> None:
    green = changed(GREEN, "channel", 0, service_id=12)
    ((key, left, right),) = matched("channel", natural(green=green)).unlike
    assert key == (b"a", b"out")
    assert (left, right) == ((b"a", b"out", b'{"name": "pong"}'), (b"a", b"out", b'{"name": "ping"}'))
    shown = matched("channel", natural(green=green)).table.sides["blue"]
    assert shown.column("service_id").kind is ColumnKind.text


def test_keys_that_are_references_are_followed_however_far() -> None:
    green = changed(GREEN, "permit", 1, channel_id=2)
    first, second = matched("permit", natural(green=green)).unlike
    assert first == ((b'{"name": "none", "kind": "in"}', b"*"), None, (b'{"name": "none", "kind": "in"}', b"*"))
    assert second[0] == (b'{"name": "a", "kind": "in"}', b"*")
    wanted = {**KEYS, "channel": (["name", "kind", "service_id"], ["id"])}
    ((_, left, right),) = matched("detail", natural(green=changed(GREEN, "detail", 0, realm="y"), wanted=wanted)).unlike
    assert left == (b'{"name": "a", "kind": "in", "service_id": {"name": "ping"}}', b"x")
    assert right == (*left[:1], b"y")


def test_a_parent_without_a_natural_key_is_compared_as_it_stands() -> None:
    wanted = {"channel": KEYS["channel"]}
    assert [key for key, _, _ in matched("channel", natural(wanted=wanted)).unlike] == [(b"a", b"out"), (b"a", b"in")]


@pytest.mark.parametrize("side", ["blue", "green"])
def test_a_natural_key_that_two_rows_share_is_refused(side: str) -> None:
    twice = {"blue": {**BLUE}, "green": {**GREEN}}
    twice[side]["service"] = [*twice[side]["service"], {"id": 99, "name": "ping", "impl": "other"}]
    for text in ("service", "channel"):
        message = refused(text, natural(twice["blue"], twice["green"]))
        assert "(name)" in message
        assert f"on {side}" in message
        assert "ping" in message
    null = {"blue": {**BLUE}, "green": {**GREEN}}
    null[side]["service"] = [*null[side]["service"], {"id": 98, "name": None}, {"id": 99, "name": None}]
    assert "null" in refused("service", natural(null["blue"], null["green"]))


def test_a_reference_that_leads_nowhere_is_refused() -> None:
    message = refused("channel", natural(green=changed(GREEN, "channel", 2, service_id=99)))
    assert "st.service" in message
    assert '"99"' in message
    assert "green" in message


def test_keys_that_need_one_another_are_refused() -> None:
    tree = table("tree", ID, NAME, number("above"), foreign_keys=(leads("tree", ["above"], "tree"),))
    rows = {"tree": [{"id": 1, "name": "root", "above": None}, {"id": 2, "name": "leaf", "above": 1}]}
    other = {"tree": [{"id": 4, "name": "leaf", "above": 5}, {"id": 5, "name": "root", "above": None}]}
    message = refused("tree", natural(rows, other, [tree], {"tree": (["name", "above"], ["id"])}))
    assert "st.tree -> st.tree" in message
    assert matched("tree", natural(rows, other, [tree], {"tree": (["name"], ["id"])})).unlike == []
    moved = changed(other, "tree", 0, above=None)
    ((_, left, right),) = matched("tree", natural(rows, moved, [tree], {"tree": (["name"], ["id"])})).unlike
    assert (left, right) == ((b"leaf", b'{"name": "root"}'), (b"leaf", None))


def test_a_key_that_is_not_there_or_not_alike_is_refused() -> None:
    for key in (["nome"], ["id"]):
        assert "natural key" in refused("service", natural(wanted={"service": (key, ["id"])}))
    other = table("service", ID, Column("name", "varchar(7)"), Column("impl", "text"))
    assert "alike" in refused("service", natural(theirs=[other]))
    lone = table("channel", *CHANNEL.columns)
    assert "do not lead to the same" in refused("channel", natural(theirs=[SERVICE, lone]))
    outside = [CHANNEL]
    assert "not among the tables of" in refused("channel", natural(tables=outside))


def test_more_than_the_limit_is_refused() -> None:
    assert "more rows" in refused("service", natural(most_bytes=500))
    assert "st.service has more rows" in refused("channel", natural(most_bytes=300))
    assert "st.channel has more rows" in refused("channel", natural(most_bytes=1200))
    assert matched("channel", natural(most_bytes=5000)).unlike == []


def test_relaxations_reach_into_a_natural_key() -> None:
    case = Relaxation(Rule("service", TableClass.config), ("name",), Equality.case, "typed by hand")
    green = changed(GREEN, "service", 1, name="PING")
    ((_, _, right), (_, left, _)) = matched("service", natural(green=green)).unlike
    assert (left, right) == ((b"ping", b"p"), (b"PING", b"p"))
    found = matched("service", natural(green=green, relaxations=(case,)))
    assert found.relaxed
    assert all(found.relaxed.same(left, right) for _, left, right in found.unlike if left and right)
    assert matched("channel", natural(green=green, relaxations=(case,))).unlike == []
    both = {**green, "service": [*green["service"], {"id": 13, "name": "ping"}]}
    assert "does not name one row" in refused("service", natural(green=both, relaxations=(case,)))


def test_several_references_through_one_column_and_nulls_among_them() -> None:
    place = table("place", number("a"), number("b"), NAME, key=("a", "b"))
    at = table(
        "at",
        NAME,
        number("x"),
        number("y"),
        key=("name",),
        foreign_keys=(leads("at", ["x", "y"], "place", ["a", "b"]), leads("at", ["x"], "service")),
    )
    wanted = {"place": (["name"], ["a", "b"]), "at": (["name"], []), "service": KEYS["service"]}
    blue = {
        **BLUE,
        "place": [{"a": 1, "b": 3, "name": "home"}],
        "at": [{"name": "full", "x": 1, "y": 3}, {"name": "half", "x": None, "y": 3}],
    }
    green = {
        **GREEN,
        "place": [{"a": 12, "b": 9, "name": "home"}],
        "at": [{"name": "full", "x": 12, "y": 9}, {"name": "half", "x": None, "y": 9}],
    }
    ((key, left, right),) = matched("at", natural(blue, green, [place, at, SERVICE], wanted)).unlike
    assert (key, left, right) == ((b"half",), (b"half", None, b'"3"'), (b"half", None, b'"9"'))
    green = changed(green, "at", 0, x=11)
    assert "refers by at_x_y" in refused("at", natural(blue, green, [place, at, SERVICE], wanted))


def test_what_can_move_a_row_is_watched_with_it() -> None:
    found = natural(wanted={key: KEYS[key] for key in ("permit", "channel", "service")})
    tables = {table.name.name: table for table in found.tables}
    wanted = {"permit": ["permit", "channel", "service"], "service": ["service"], "detail": ["detail"]}
    for start, names in wanted.items():
        assert [table.name.name for table in with_parents(found.tables, [tables[start]])] == names
    assert matched("permit", found).parents == (name("channel"),), "no name of a channel holds its service"


texts = st.text(alphabet='a"{}:, \\[]n', max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(texts | st.none(), texts | st.none()), min_size=2, max_size=2, unique=True))
def test_unlike_keys_are_unlike_texts(pair: list[tuple[str | None, str | None]]) -> None:
    """Two children that lead to parents of unlike keys are never the same."""
    parent = table("parent", ID, NAME, Column("kind", "text"))
    child = table("child", NAME, number("to"), key=("name",), foreign_keys=(leads("child", ["to"], "parent"),))
    rows = [{"id": place, "name": one, "kind": two} for place, (one, two) in enumerate(pair)]
    blue, green = ({"parent": rows, "child": [{"name": "c", "to": to}]} for to in (0, 1))
    wanted = {"parent": (["name", "kind"], ["id"]), "child": (["name"], [])}
    assert len(matched("child", natural(blue, green, [parent, child], wanted)).unlike) == 1
    assert matched("child", natural(blue, blue, [parent, child], wanted)).unlike == []
