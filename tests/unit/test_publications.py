"""The union of publications, as pgoutput computes it."""

from __future__ import annotations

from replguard.engines.postgresql.publications import Publication, Published, Relation, published
from replguard.model.tables import TableName

ROOT, MIDDLE, LEAF = (TableName("st", name) for name in ("root", "middle", "leaf"))
PARTITION = Relation(LEAF, partition=True, ancestors=(MIDDLE, ROOT))
CHILD = Relation(TableName("st", "child"), ancestors=(TableName("st", "parent"),))


def listing(name, *tables, **more):
    return Publication(name, tables=dict.fromkeys(tables, (None, None)), **more)


def sent_as(relation, *publications):
    found = published(relation, publications)
    return found.sent_as if found else None


def union(relation, *publications) -> Published:
    found = published(relation, publications)
    assert found is not None
    return found


def test_partition_is_covered_by_each_table_above_it():
    assert sent_as(PARTITION, listing("p", ROOT)) == LEAF
    assert sent_as(PARTITION, listing("p", MIDDLE)) == LEAF
    assert sent_as(PARTITION, listing("p", LEAF)) == LEAF
    assert sent_as(PARTITION, listing("p", TableName("st", "other"))) is None


def test_via_root_takes_the_topmost_that_is_covered():
    assert sent_as(PARTITION, listing("p", ROOT, MIDDLE, via_root=True)) == ROOT
    assert sent_as(PARTITION, listing("p", MIDDLE, via_root=True)) == MIDDLE
    assert sent_as(PARTITION, Publication("p", all_tables=True, via_root=True)) == ROOT
    assert sent_as(PARTITION, Publication("p", schemas=frozenset({"st"}), via_root=True)) == ROOT
    assert sent_as(PARTITION, listing("p", LEAF), listing("q", ROOT, via_root=True)) == ROOT


def test_inheritance_is_no_partition():
    assert sent_as(CHILD, listing("p", TableName("st", "parent"))) is None


def test_unlogged_is_never_published():
    assert sent_as(Relation(LEAF, logged=False), Publication("p", all_tables=True)) is None


def test_row_filters_hold_only_if_every_publication_has_one():
    name = TableName("st", "t")
    some = Publication("p", tables={name: ("(id > 5)", None)})
    assert union(Relation(name), some).partial == "only rows where (id > 5)"
    assert union(Relation(name), some, listing("q", name)).partial is None
    assert union(Relation(name), some, Publication("q", all_tables=True)).partial is None


def test_operations_unite():
    name = TableName("st", "t")
    inserts = listing("p", name, operations=frozenset({"insert"}))
    rest = listing("q", name, operations=frozenset({"update", "delete", "truncate"}))
    assert union(Relation(name), inserts).missing == ("update", "delete", "truncate")
    assert union(Relation(name), inserts, rest).missing == ()
