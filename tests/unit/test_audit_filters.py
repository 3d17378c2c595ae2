"""Policy against filters as they are set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard.audit.filters import audit
from replguard.model.findings import Severity, Verdict
from replguard.model.links import Link, LinkState
from replguard.model.tables import ForeignKey, ScheduledEvent
from tests.unit.builders import LINK, ListedFilters, name, policy, table, table_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.model.findings import Check
    from replguard.model.tables import Table

BACK = Link("", "blue", "green", LinkState.running, lag_seconds=0.0)
QUEUE = policy(must_not_sync=["event"])


def judged(tables: Sequence[Table], filters: ListedFilters, *links: Link, cascades: bool = False, used=QUEUE) -> Check:
    found = table_map(tables, tables, used)
    return audit(found, dict.fromkeys(links or (LINK,), filters), applier_cascades=cascades, links_wanted=True)


def codes(check: Check) -> list[tuple[str, str, str | None]]:
    return [(finding.code, finding.severity.value, finding.table) for finding in check.findings]


def test_what_is_dropped_and_what_crosses_as_it_should_passes() -> None:
    check = judged([table("EVENT"), table("account")], ListedFilters(("EVENT",)))
    assert (check.verdict, check.findings) == (Verdict.passed, ())


def test_a_leak_is_told_for_each_link() -> None:
    check = judged([table("Event")], ListedFilters(), LINK, BACK)
    assert codes(check) == [("leak.configured", "fail", "Event")] * 2
    assert [(finding.cluster, finding.link) for finding in check.findings] == [
        ("green", "blue->green"),
        ("blue", "green->blue"),
    ]
    assert all(finding.remedy and "no rule drops it" in finding.message for finding in check.findings)
    assert check.summary.endswith("2 tables would leak")


def test_a_config_table_that_would_not_cross() -> None:
    check = judged([table("event"), table("account")], ListedFilters(("event", "account")))
    assert codes(check) == [("link.incomplete", "fail", "account")]


def test_what_cannot_be_judged_is_unknown() -> None:
    check = judged([table("event"), table("account")], ListedFilters(unclear=("event", "account")))
    assert sorted(codes(check)) == [("leak.configured", "unknown", "event"), ("link.incomplete", "unknown", "account")]
    assert check.verdict is Verdict.inconclusive


def test_local_tables_may_cross_or_not() -> None:
    used = policy(must_not_sync=["event"], local=["a", "b"])
    assert judged([table("a"), table("b"), table("event")], ListedFilters(("a", "event")), used=used).findings == ()


def test_a_partitioned_table_is_told_once() -> None:
    tables = [table("event", partitioned=True), *(table(f"event_{day}", ancestors=("event",)) for day in range(9))]
    assert codes(judged(tables, ListedFilters())) == [("leak.configured", "fail", "event")]
    assert codes(judged(tables, ListedFilters(("event", *(f"event_{day}" for day in range(8)))))) == [
        ("leak.configured", "fail", "event_8")
    ]


def test_a_partition_of_another_class_than_its_table_is_judged_by_itself() -> None:
    tables = [table("account", partitioned=True), table("account_event", ancestors=("account",)), table("event")]
    used = policy(must_not_sync=["account_event", "event"])
    check = judged(tables, ListedFilters(("event",)), used=used)
    assert codes(check) == [("leak.configured", "fail", "account_event")]


def test_tables_without_a_class_are_asked_about_once() -> None:
    used = policy(must_not_sync=["event"], config=["account"])
    tables = [table("event"), table("other", partitioned=True), table("other_1", ancestors=("other",))]
    check = judged(tables, ListedFilters(("event",)), used=used)
    assert codes(check) == [("table.unclassified", "unknown", "other")]


def test_nothing_to_keep_apart_warns() -> None:
    assert codes(judged([table("account")], ListedFilters())) == [("filter.fragile", "warn", None)]


def test_no_link_is_no_pass_unless_none_is_wanted() -> None:
    tables = table_map([table("event")], [table("event")], QUEUE)
    wanted = audit(tables, {}, applier_cascades=False, links_wanted=True)
    assert codes(wanted) == [("link.missing", "unknown", None)]
    assert not audit(tables, {}, applier_cascades=False, links_wanted=False).applicable
    there = audit(tables, {LINK: ListedFilters()}, applier_cascades=False, links_wanted=False)
    assert codes(there) == [("leak.configured", "fail", "event")]


def test_a_table_on_one_side_alone_is_judged_as_that_side_has_it() -> None:
    for blue, green in (([table("event")], []), ([], [table("event")])):
        check = audit(table_map(blue, green, QUEUE), {LINK: ListedFilters()}, applier_cascades=False, links_wanted=True)
        assert codes(check) == [("leak.configured", "fail", "event")]


@pytest.mark.parametrize(
    ("on_delete", "filters", "acts", "severity"),
    [
        ("CASCADE", ListedFilters(("event",)), True, Severity.fail),
        ("SET NULL", ListedFilters(("event",)), True, Severity.fail),
        ("NO ACTION", ListedFilters(("event",)), True, None),
        ("CASCADE", ListedFilters(("event",)), False, None),
        ("CASCADE", ListedFilters(("event", "account")), True, None),
        ("CASCADE", ListedFilters(("event",), unclear=("account",)), True, Severity.unknown),
    ],
)
def test_cascades(on_delete: str, filters: ListedFilters, *, acts: bool, severity: Severity | None) -> None:
    key = ForeignKey("fk", name("event"), name("account"), on_delete, "NO ACTION")
    tables = [table("account"), table("event", foreign_keys=(key,))]
    check = judged(tables, filters, cascades=acts)
    found = [finding for finding in check.findings if finding.code == "leak.configured"]
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    if found:
        assert found[0].evidence["path"] == ["st.account", "fk", "st.event"]


def test_a_cascade_reaches_a_forbidden_table_through_one_that_does_not_cross() -> None:
    first = ForeignKey("fk1", name("cache"), name("account"), "CASCADE", "NO ACTION")
    second = ForeignKey("fk2", name("event"), name("cache"), "CASCADE", "NO ACTION")
    tables = [table("event", foreign_keys=(second,)), table("cache", foreign_keys=(first,)), table("account")]
    used = policy(must_not_sync=["event"], local=["cache"])
    check = judged(tables, ListedFilters(("event", "cache")), cascades=True, used=used)
    assert codes(check) == [("leak.configured", "fail", "event")]
    assert judged(tables[:2], ListedFilters(("event", "cache")), used=used).findings == ()


def chain(*links: tuple[str, str, str, str]) -> list[Table]:
    """Tables, each with a key to the one before: (parent, child, on delete, on update)."""
    keys = [ForeignKey(f"to_{above}", name(below), name(above), gone, moved) for above, below, gone, moved in links]
    first = table(links[0][0])
    return [first, *(table(key.child.name, foreign_keys=(key,)) for key in keys)]


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (
            [("account", "cache", "CASCADE", "NO ACTION"), ("cache", "event", "SET NULL", "NO ACTION")],
            ["st.account", "to_account", "st.cache", "to_cache", "st.event"],
        ),
        (
            [("account", "cache", "NO ACTION", "CASCADE"), ("cache", "event", "NO ACTION", "CASCADE")],
            ["st.account", "to_account", "st.cache", "to_cache", "st.event"],
        ),
        ([("account", "cache", "SET NULL", "NO ACTION"), ("cache", "event", "CASCADE", "NO ACTION")], None),
        ([("account", "cache", "CASCADE", "NO ACTION"), ("cache", "event", "NO ACTION", "CASCADE")], None),
        (
            [("account", "cache", "SET NULL", "NO ACTION"), ("cache", "event", "CASCADE", "SET NULL")],
            ["st.account", "to_account", "st.cache", "to_cache", "st.event"],
        ),
    ],
)
def test_a_chain_of_cascades_is_told_whole(steps: list[tuple[str, str, str, str]], path: list[str] | None) -> None:
    """What only deletes goes on as a deletion, what only updates as an update."""
    used = policy(must_not_sync=["event"], local=["cache"])
    check = judged(chain(*steps), ListedFilters(("event", "cache")), cascades=True, used=used)
    assert [finding.evidence["path"] for finding in check.findings] == ([path] if path else [])
    for finding in check.findings:
        assert "-> st.cache -> to_cache" in finding.message


def test_a_parent_outside_the_scope_may_change() -> None:
    key = ForeignKey("fk", name("event"), name("other.parent"), "CASCADE", "NO ACTION")
    check = judged([table("event", foreign_keys=(key,))], ListedFilters(("event",)), cascades=True)
    assert codes(check) == [("leak.configured", "fail", "event")]


def test_tables_that_cascade_in_a_ring_are_told_once_each() -> None:
    steps = [("account", "event", "CASCADE", "CASCADE"), ("event", "log", "CASCADE", "CASCADE")]
    back = ForeignKey("back", name("account"), name("log"), "CASCADE", "CASCADE")
    account, *others = chain(*steps)
    tables = [replace(account, foreign_keys=(back,)), *others]
    used = policy(must_not_sync=["event", "log"])
    check = judged(tables, ListedFilters(("event", "log")), cascades=True, used=used)
    assert codes(check) == [("leak.configured", "fail", "event"), ("leak.configured", "fail", "log")]


EVENTS = {
    "writes": (ScheduledEvent("st", "purge", (name("EVENT"),)), [("leak.configured", "fail", "event")]),
    "may write": (ScheduledEvent("st", "purge", (), (name("event"),)), [("leak.configured", "unknown", "event")]),
    "opaque": (ScheduledEvent("st", "purge", opaque=True), [("leak.configured", "unknown", None)]),
    "more": (ScheduledEvent("st", "purge", (name("event"),), opaque=True), [("leak.configured", "fail", "event")]),
    "other": (ScheduledEvent("st", "purge", (name("account"), name("x.event"))), []),
}


@pytest.mark.parametrize(("event", "expected"), EVENTS.values(), ids=EVENTS)
def test_events_that_the_target_runs(event: ScheduledEvent, expected: list[tuple[str, str, str | None]]) -> None:
    there = [table("event"), table("account")]
    for cluster, findings in (("green", expected), ("blue", [])):
        found = replace(table_map(there, there, QUEUE), events={cluster: (event,)})
        check = audit(found, {LINK: ListedFilters(("event",))}, applier_cascades=False, links_wanted=True)
        assert codes(check) == findings


def test_events_that_may_not_be_seen_are_unknown() -> None:
    there = [table("event"), table("account")]
    found = replace(table_map(there, there, QUEUE), hidden_events={"green": ("no EVENT", "GRANT EVENT ON st.* TO x")})
    check = audit(found, {LINK: ListedFilters(("event",))}, applier_cascades=False, links_wanted=True)
    assert codes(check) == [("check.not_run", "unknown", None)]
    assert check.findings[0].remedy == "GRANT EVENT ON st.* TO x"
    assert check.verdict is Verdict.inconclusive


def test_a_cascade_from_one_forbidden_table_to_another_is_told_by_the_tables_themselves() -> None:
    key = ForeignKey("fk", name("event_child"), name("event"), "CASCADE", "NO ACTION")
    tables = [table("event"), table("event_child", foreign_keys=(key,))]
    used = policy(must_not_sync=["event*"])
    assert judged(tables, ListedFilters(("event", "event_child")), cascades=True, used=used).findings == ()
