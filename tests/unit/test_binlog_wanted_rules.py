"""From the rules that are set to those that are wanted: each case names what is set, what is wanted and what comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replguard.engines.binlog import filterrules
from replguard.engines.binlog.rawfilters import RawFilters
from replguard.engines.binlog.wantedrules import choose
from replguard.engines.controls import WantedFilter
from replguard.model.tables import Table, TableName

CASED, FOLDED = RawFilters(case_sensitive=True), RawFilters(case_sensitive=False)


def tables(*names: str) -> tuple[Table, ...]:
    return tuple(Table(TableName(*name.split(".", 1)), ()) for name in names)


def wanted(forbidden: str = "", config: str = "", local: str = "", globs: tuple[str, ...] = ()) -> WantedFilter:
    return WantedFilter(tables(*forbidden.split()), tables(*config.split()), tables(*local.split()), globs)


def changed(raw: RawFilters, asked: WantedFilter) -> dict[str, Any]:
    """The kinds that come out otherwise, and what was refused."""
    choice = choose(raw, asked)
    kinds = ("do_db", "ignore_db", "do_table", "ignore_table", "wild_do_table", "wild_ignore_table")
    found = {kind: set(getattr(choice.raw, kind)) for kind in kinds if getattr(choice.raw, kind) != getattr(raw, kind)}
    return {**found, **({"refused": choice.refused} if choice.refused else {})}


@pytest.mark.parametrize(
    ("raw", "asked", "comes"),
    [
        pytest.param(CASED, wanted("st.Event", "st.acc"), {"ignore_table": {"st.Event"}}, id="a leak"),
        pytest.param(
            replace(CASED, ignore_table=("st.Event",)), wanted("st.Event", "st.acc"), {}, id="as it should be"
        ),
        pytest.param(
            replace(CASED, ignore_table=("st.event", "x.y")),
            wanted("st.Event", "st.acc"),
            {"ignore_table": {"st.Event", "x.y"}},
            id="spelled otherwise; a rule of others stays",
        ),
        pytest.param(
            replace(FOLDED, ignore_table=("st.EVENT",)), wanted("st.event"), {}, id="case does not matter here"
        ),
        pytest.param(
            replace(FOLDED, wild_ignore_table=(r"st.dmz\_%",)),
            wanted("st.dmz_a", "st.acc"),
            {},
            id="a wild rule will do",
        ),
        pytest.param(
            replace(FOLDED, wild_ignore_table=("st.dmz_%",)),
            wanted("st.dmz_a", "st.dmzxa"),
            {"wild_ignore_table": {r"st.dmz\_%"}},
            id="an unescaped _ that stops a config table is escaped",
        ),
        pytest.param(
            replace(FOLDED, wild_ignore_table=("st.a%",)),
            wanted("st.audit", "st.acc", "st.aside"),
            {"wild_ignore_table": set(), "ignore_table": {"st.audit", "st.aside"}},
            id="a wild rule that stops a config table goes, and what it kept out stays out",
        ),
        pytest.param(
            replace(CASED, do_table=("st.acc", "st.event")),
            wanted("st.event", "st.acc st.new"),
            {"do_table": {"st.acc", "st.new"}},
            id="do-rules stay in charge",
        ),
        pytest.param(
            replace(CASED, do_table=("st.event",)),
            wanted("st.event", "st.acc"),
            {"do_table": {"st.acc"}},
            id="a link is never opened to all by taking out its last do-rule",
        ),
        pytest.param(
            replace(CASED, wild_do_table=("st.%", "other.%")),
            wanted("st.event", "st.acc", globs=("tmp_*",)),
            {"ignore_table": {"st.event"}},
            id="an exact ignore-rule comes before a wild do-rule",
        ),
        pytest.param(
            replace(CASED, do_db=("other",)),
            wanted("st.event", "st.acc"),
            {"do_db": {"other", "st"}, "ignore_table": {"st.event"}},
            id="a do-rule for other databases",
        ),
        pytest.param(
            replace(CASED, ignore_db=("st", "other")),
            wanted("st.event other.log", "st.acc"),
            {"ignore_db": {"other"}, "ignore_table": {"st.event", "other.log"}},
            id="a database rule keeps no table apart by itself",
        ),
        pytest.param(
            replace(CASED, rewrite_db=(("st", "green"),)),
            wanted("st.event st.tmp_1", "st.acc", globs=("TMP_*",)),
            {"ignore_table": {"green.event", "green.tmp_1"}, "wild_ignore_table": {r"green.tmp\_%"}},
            id="rules name the target's database, and existing spellings",
        ),
        pytest.param(
            CASED,
            wanted("st.DMZ_a st.dmz_b", "st.acc", globs=("dmz_*", "st.tmp_?", "[ab]*", "event", "other.x*", "*")),
            {
                "ignore_table": {"st.DMZ_a", "st.dmz_b"},
                "wild_ignore_table": {r"st.DMZ\_%", r"st.dmz\_%", r"st.tmp\__"},
            },
            id="globs as wild rules",
        ),
        pytest.param(
            FOLDED,
            wanted("st.ev_a", "st.év_b", globs=("ev_*",)),
            {"ignore_table": {"st.ev_a"}},
            id="a wild rule that would catch a config table by its accent is left out",
        ),
        pytest.param(
            CASED, wanted("st.a`b'c st.x.y st.50%"), {"ignore_table": {"st.a`b'c", "st.x.y", "st.50%"}}, id="odd"
        ),
    ],
)
def test_rules(raw: RawFilters, asked: WantedFilter, comes: dict[str, Any]) -> None:
    assert changed(raw, asked) == comes
    after = choose(raw, asked).raw
    assert changed(after, asked) == {}, "planning again has nothing to do"
    assert all(filterrules.rows_pass(after, table.name).crosses is False for table in asked.forbidden)
    assert all(filterrules.rows_pass(after, table.name).crosses is True for table in asked.config)


@pytest.mark.parametrize(
    ("raw", "asked", "why"),
    [
        (CASED, wanted("st.a,b"), "holds a comma"),
        (replace(CASED, do_table=("st.event",)), wanted("st.event"), "is the only do-rule"),
        (replace(CASED, ignore_table=("st.a", "b")), wanted("st.event"), "cannot be read exactly"),
        (FOLDED, wanted("st.évent", "st.èvent"), "no rule tells it from the others"),
        (replace(FOLDED, wild_ignore_table=("%.a%",)), wanted("st.audit", "st.acc"), "reaches other databases"),
        (replace(FOLDED, unreadable=("replicate_rewrite_db",)), wanted("st.event"), "could not be read"),
    ],
)
def test_what_rules_cannot_say_is_refused(raw: RawFilters, asked: WantedFilter, why: str) -> None:
    assert why in " ".join(choose(raw, asked).refused)
