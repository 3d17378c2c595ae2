"""What publications must become: pure, for shapes that are tedious to set up on servers."""

from __future__ import annotations

from replguard.engines.controls import WantedFilter
from replguard.engines.postgresql.publications import OPERATIONS, Publication, Relation
from replguard.engines.postgresql.publishing import Standing, goal, subscribes
from replguard.model.tables import Table, TableName

ROOT, MIDDLE, LOW, HIGH = (TableName("st", name) for name in ("root", "middle", "low", "high"))
A, B, EVENT = (TableName("st", name) for name in ("a", "b", "event"))
TREE = (
    Relation(ROOT, partitioned=True),
    Relation(MIDDLE, partitioned=True, partition=True, ancestors=(ROOT,)),
    Relation(LOW, partition=True, ancestors=(MIDDLE, ROOT)),
    Relation(HIGH, partition=True, ancestors=(ROOT,)),
)
PLAIN = (Relation(A), Relation(B), Relation(EVENT))


def listing(name, *tables, **more):
    return Publication(name, tables=dict.fromkeys(tables, (None, None)), **more)


def reached(publications, forbidden=(EVENT,), relations=(*PLAIN, *TREE), local=(), **more):
    known = {one.name: one for one in relations}
    tables = {name: Table(name, ()) for name in known}
    config = [table for name, table in tables.items() if name not in (*forbidden, *local)]
    wanted = WantedFilter(tuple(map(tables.get, forbidden)), tuple(config), tuple(map(tables.get, local)))  # type: ignore[arg-type]
    more.setdefault("subscribed", subscribes(tuple(publications), known))
    standing = Standing(tuple(publications), known, there=frozenset(known), **more)
    return goal(standing, wanted, "own")


def lists(found):
    return {one.name: sorted(name.name for name in one.tables or {}) for one in found.publications}


def test_what_is_right_stays_as_it_is():
    right = listing("p", A, B, ROOT)
    found = reached([right])
    assert found.publications == (right,)
    assert (found.own, found.notes) == (False, ())
    leaves = listing("p", A, B, LOW, HIGH)
    assert reached([leaves]).publications == (leaves,)


def test_each_publication_loses_what_must_not_cross_and_the_first_gains_what_none_has():
    found = reached([listing("p", A, EVENT), listing("q", B, EVENT), listing("r", EVENT)])
    assert lists(found) == {"p": ["a", "root"], "q": ["b"], "r": []}
    assert found.subscribed == {A, B, LOW, HIGH}
    assert "newly subscribed without a copy: st.high, st.low" in found.notes[0]


def test_all_tables_and_what_others_read_are_replaced():
    for given, more in (
        ([Publication("p", all_tables=True)], {}),
        ([listing("p", A, EVENT)], {"shared": frozenset({"p"})}),
        ([listing("p", A), Publication("q", all_tables=True)], {}),
    ):
        found = reached(given, **more)
        assert found.own
        assert lists(found) == {"own": ["a", "b", "root"]}


def test_partitions_under_a_forbidden_one_are_named_one_by_one():
    assert lists(reached([listing("p", A, B, ROOT)], forbidden=(EVENT, LOW))) == {"p": ["a", "b", "high"]}
    assert lists(reached([listing("p", A, B, ROOT)], forbidden=(EVENT, ROOT, MIDDLE, LOW, HIGH))) == {"p": ["a", "b"]}
    by_root = listing("p", A, B, ROOT, via_root=True)
    [why] = reached([by_root], forbidden=(EVENT, LOW)).refused
    assert "st.high travels as st.root" in why


def test_names_by_which_partitions_travel_stay():
    by_root = reached([Publication("p", all_tables=True, via_root=True)])
    assert by_root.subscribed == {A, B, ROOT}
    by_leaf = reached([listing("p", A, B, LOW, HIGH, EVENT, via_root=True)])
    assert by_leaf.subscribed == {A, B, LOW, HIGH}
    empty = reached([listing("p", A, B, ROOT, EVENT, via_root=True)], relations=(*PLAIN, TREE[0]))
    assert (lists(empty), empty.subscribed) == ({"p": ["a", "b", "root"]}, {A, B, ROOT})


def test_parts_are_made_whole_for_config_and_left_for_others():
    limited = Publication(
        "p", operations=frozenset({"insert", "update"}), tables={A: ("(id > 5)", None), B: ("(id > 5)", ("id",))}
    )
    found = reached([limited], relations=PLAIN, local=(B,))
    assert found.publications[0].tables == {A: (None, None), B: ("(id > 5)", ("id",))}
    assert found.publications[0].operations == frozenset(OPERATIONS)
    whole = listing("q", A)
    kept = reached([limited, whole], relations=PLAIN, local=(B,))
    assert kept.publications == (limited, whole), "their union has all of it"


def test_what_is_local_and_does_not_cross_stays_out():
    subscribed = frozenset({A})
    found = reached([listing("p", A, B, EVENT)], relations=PLAIN, local=(B,), subscribed=subscribed)
    assert lists(found) == {"p": ["a"]}


def test_without_replica_identity_nothing_new_is_published():
    keyless = Relation(B, identified=False)
    found = reached([listing("p", A)], relations=(PLAIN[0], keyless, PLAIN[2]))
    assert lists(found) == {"p": ["a"]}
    assert "no replica identity" in found.notes[0]
    already = reached([listing("p", A, B, EVENT)], relations=(PLAIN[0], keyless, PLAIN[2]))
    assert lists(already) == {"p": ["a", "b"]}
    inserts = listing("p", A, B, operations=frozenset({"insert"}))
    assert "no replica identity" in reached([inserts], relations=(PLAIN[0], keyless, PLAIN[2])).refused[0]


def test_nothing_is_carried_twice():
    found = reached([listing("p", A)], relations=PLAIN, elsewhere=frozenset({B}))
    assert lists(found) == {"p": ["a"]}
    assert lists(reached([listing("p", A)], relations=PLAIN, gathers=False)) == {"p": ["a"]}
