"""What holds of the filters today and need not hold tomorrow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from replguard.audit import weaknesses
from replguard.diff import sequences
from replguard.engines.audits import AfterRestart
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.model.links import Fragility, Link, LinkState
from replguard.model.tables import ForeignKey, ScheduledEvent, Trigger
from tests.unit.builders import LINK, ListedFilters, name, policy, table, table_map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.audit.tables import TableMap
    from replguard.model.tables import Table

BACK = Link("", "blue", "green", LinkState.running, lag_seconds=0.0)
APART = ListedFilters(("event",))
QUEUE = policy(must_not_sync=["event"], local=["other"])


@dataclass(frozen=True)
class Restarting(ListedFilters):
    then: AfterRestart | None = None
    caught: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def after_restart(self) -> AfterRestart:
        return self.then or AfterRestart(self)

    def matched(self, tables: Sequence[Table]) -> Mapping[str, Sequence[Any]]:
        return self.caught


def both(*tables: Table) -> TableMap:
    return table_map(tables, tables, QUEUE)


def found(tables: TableMap, filters: ListedFilters = APART, *links: Link, **facts: Any) -> list[Finding]:
    given = {"applier_cascades": True, "unseen": {}, **facts}
    return list(weaknesses.found(tables, dict.fromkeys(links or (LINK,), filters), **given))


def test_a_sound_pair_is_silent() -> None:
    trigger = Trigger("t", name("account"), "AFTER INSERT", "INSERT INTO setting VALUES (1)")
    tables = both(table("event"), replace(table("account"), triggers=(trigger,)), table("setting"))
    assert found(tables, Restarting(("event",)), LINK, BACK) == []
    assert found(tables, APART, unseen={"blue": ()}) == []
    assert list(weaknesses.found(tables, {}, applier_cascades=True, unseen={"blue": ("triggers in st",)})) == []


def test_what_an_engine_says_of_its_filters_and_what_it_hides() -> None:
    weak = Fragility("catches more", "write less", rule="st.event", table="event", schema="st")
    [told] = found(both(table("event")), ListedFilters(("event",), weaknesses=(weak,)))
    assert (told.code, told.severity, told.table, told.evidence) == (
        "filter.fragile",
        Severity.warn,
        "event",
        {"rule": "st.event"},
    )
    [hidden] = found(both(table("event")), unseen={"blue": ("triggers in st",), "green": ()})
    assert (hidden.cluster, "does not show triggers in st" in hidden.message) == ("blue", True)


def test_what_a_restart_would_let_through_and_drop() -> None:
    lost = Fragility("replicate_ignore_table is lost", "write it down", rule="replicate_ignore_table")
    forbidden = [table(f"event{number}") for number in range(8)]
    tables = table_map([*forbidden, table("account")], [*forbidden, table("account")], policy(must_not_sync=["event*"]))
    apart = tuple(f"event{number}" for number in range(8))
    leaking, dropped = found(tables, Restarting(apart, then=AfterRestart(ListedFilters(("account",)), (lost,))))
    assert "st.event4 and 3 more, which must not sync, would cross once green was restarted" in leaking.message
    assert leaking.message.endswith("replicate_ignore_table is lost")
    assert (len(leaking.evidence["tables"]), leaking.table, leaking.remedy) == (8, None, "write it down")
    assert "st.account, which must be identical, would no longer cross" in dropped.message
    assert (dropped.schema, dropped.table) == ("st", "account")


def test_rules_that_a_restart_changes_without_harm_are_told_by_themselves() -> None:
    one, other = Fragility("a is lost", "x", rule="a"), Fragility("b is not known", "y", rule="b")
    then = AfterRestart(APART, (one,), (other,))
    told = found(both(table("event")), Restarting(("event",), then=then))
    assert [finding.message for finding in told] == ["blue->green: a is lost", "blue->green: b is not known"]
    may = AfterRestart(ListedFilters(unclear=("event",)), (one,))
    [told_once] = found(both(table("event")), Restarting(("event",), then=may))
    assert told_once.table == "event"


def test_rules_that_catch_too_much() -> None:
    caught = {"'st.%'": (name("event"), name("account")), "'st.o%'": (name("other"),), "'st.e%'": (name("event"),)}
    [told] = found(both(table("event"), table("account"), table("other")), Restarting(("event",), caught=caught))
    assert (told.table, told.evidence) == ("account", {"rule": "'st.%'", "tables": ["st.account"]})


def test_config_tables_without_a_key() -> None:
    bare = table("account", key=())
    assert [one.table for one in found(both(bare, table("event", key=()), table("other", key=())))] == ["account"]
    worse = Fragility("no replica identity", "x", table="account", schema="st")
    assert len(found(both(bare, table("event")), ListedFilters(("event",), weaknesses=(worse,)))) == 1


@pytest.mark.parametrize(
    ("child", "parent", "on_delete", "acts", "said"),
    [
        ("event", "account", "RESTRICT", True, "cannot be deleted by blue->green"),
        ("event", "account", "CASCADE", True, None),
        ("event", "account", "CASCADE", False, "lose the row that they name"),
        ("account", "event", "RESTRICT", True, "cannot be applied by blue->green"),
        ("account", "event", "CASCADE", False, "name rows that green does not have"),
        ("account", "setting", "RESTRICT", True, None),
        ("other", "event", "RESTRICT", True, None),
    ],
)
def test_foreign_keys_over_the_border(child: str, parent: str, on_delete: str, acts: bool, said: str | None) -> None:
    key = ForeignKey("fk", name(child), name(parent), on_delete, "NO ACTION")
    names = {child, parent, "event"}
    tables = both(*(table(one, foreign_keys=(key,) if one == child else ()) for one in names))
    told = found(tables, applier_cascades=acts)
    assert [(str(said) in one.message, one.table) for one in told] == ([(True, child)] if said else [])


def test_triggers_over_the_border_are_told_once() -> None:
    from_queue = Trigger("t1", name("event"), "AFTER INSERT", "UPDATE account SET n = 1")
    to_queue = Trigger("t2", name("account"), "AFTER INSERT", "INSERT INTO event VALUES (1)", on_apply=False)
    tables = both(
        replace(table("event"), triggers=(from_queue,)), replace(table("account"), triggers=(to_queue,)), table("other")
    )
    told = {one.evidence["path"][1]: one.message for one in found(tables, APART, LINK, BACK)}
    assert "t1 on blue and green crosses" in told["t1"]
    assert "stays on the side that wrote first" in told["t2"]


def test_triggers_that_a_target_runs_again() -> None:
    again = Trigger("t", name("account"), "BEFORE INSERT", "SET NEW.n = 1")
    leaks = Trigger("u", name("account"), "AFTER INSERT", "INSERT INTO event VALUES (1)")
    tables = both(table("event"), replace(table("account"), triggers=(again, leaks)))
    told = {one.evidence["path"][1]: one.message for one in found(tables, applier_triggers=["green"])}
    assert sorted(told) == ["t", "u"]
    assert "u on blue crosses" in told["u"]  # on green it is a leak, and told as one
    assert [one.evidence["path"][1] for one in found(tables, applier_triggers=["blue", "green"])] == ["t"]
    assert found(both(table("event"), replace(table("account"), triggers=(again,))), applier_triggers=["blue"]) == []


@pytest.mark.parametrize(
    ("links", "runs", "told"),
    [((LINK,), ("green",), ["green"]), ((LINK,), ("blue",), []), ((LINK, BACK), ("blue",), []),
     ((LINK, BACK), ("blue", "green"), ["blue", "green"])],
)  # fmt: skip
def test_events_that_write_config_tables(links: tuple[Link, ...], runs: tuple[str, ...], told: list[str]) -> None:
    tidy = ScheduledEvent("st", "tidy", writes=(name("account"),))
    harmless = ScheduledEvent("st", "purge", writes=(name("event"),))
    tables = replace(both(table("event"), table("account")), events=dict.fromkeys(runs, (tidy, harmless)))
    assert sorted(str(one.cluster) for one in found(tables, APART, *links)) == told


def test_children_of_another_class() -> None:
    tables = both(table("account"), table("event", ancestors=("account",)))
    [told] = found(tables)
    assert told.evidence == {"path": ["st.account", "st.event"]}


def test_numbers_that_would_be_given_twice_warn_and_never_hinder() -> None:
    behind = Finding("sequence.behind", Severity.warn, "goes on with 1")
    unread = Finding(NOT_RUN, Severity.unknown, "may not be read")
    costly = Finding(NOT_RUN, Severity.info, "not looked for")
    told = list(sequences.weaknesses(Check("diff.sequences", "", (behind, unread, costly))))
    assert [(one.code, one.severity, one.message) for one in told] == [
        ("filter.fragile", Severity.warn, "goes on with 1"),
        ("filter.fragile", Severity.warn, "may not be read"),
    ]
