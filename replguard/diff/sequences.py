"""Whether the numbers that sequences and AUTO_INCREMENT would give next are free, on the side that would take over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any

from replguard.errors import ServerError
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.model.schema import Counters, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.schema import Counter
    from replguard.model.tables import TableName

    Place = tuple[TableName, str, int]

CHECK = "diff.sequences"
LISTED = 10
"""Columns that a message names."""


def check(pair: Pair, tables: TableMap, wanted: Sequence[PairedTable], links: Sequence[Link]) -> Check:
    """Judge the counters of ``wanted``, both clusters asked at once.

    Where applied rows advance counters, those of the side that would take over are held against its own rows, which may
    lag; else against the rows of the side from which it takes over.
    """
    both = [table for table in wanted if len(table.sides) == 2]
    takers = taking_over(links, tables.clusters)
    follow = pair.first.capabilities.counters_follow

    def ask(server: Server) -> Counters:
        takes, gives = server.name in takers, bool(takers - {server.name})
        extremes = takes if follow else gives
        if not (takes or extremes):
            return Counters()
        own = [table.sides[server.name] for table in both]
        try:
            return server.catalog.counters(own, standing=takes, extremes=extremes)
        except ServerError as error:
            return Counters(unseen=(Unseen(f"where numbers come from ({error.message})", error.remedy),))

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(tables.clusters, pool.map(ask, pair), strict=True))
    return judged(found, both, links, tables.clusters)


def weaknesses(found: Check) -> Iterator[Finding]:
    """The findings of :func:`check` as an audit of filters tells them: links carry rows, and no sequence.

    What could not be read makes no audit inconclusive, whose question is another.
    """
    for finding in found.findings:
        if finding.severity is not Severity.info:
            yield replace(finding, code="filter.fragile", severity=Severity.warn)


def taking_over(links: Iterable[Link], clusters: tuple[str, str]) -> frozenset[str]:
    """The clusters that may take over from the other: the targets of links between them; both where there is none."""
    return _targets(links, clusters) or frozenset(clusters)


def _targets(links: Iterable[Link], clusters: tuple[str, str]) -> frozenset[str]:
    return frozenset(link.target for link in links if {link.source, link.target} == {*clusters})


def judged(
    found: Mapping[str, Counters], wanted: Sequence[PairedTable], links: Sequence[Link], clusters: tuple[str, str]
) -> Check:
    """The pure half of :func:`check`."""
    names = _names(wanted, clusters)
    first, second = (_by_place(found[cluster].counters, names[cluster]) for cluster in clusters)
    places = sorted(first.keys() | second.keys())
    pairs = [(first.get(place), second.get(place)) for place in places]
    findings: list[Finding] = []
    takers = taking_over(links, clusters)
    if len(_targets(links, clusters)) == 2:
        findings += _collisions(
            [(one, other) for one, other in pairs if one and other and overlap(one, other)], clusters
        )
    for cluster in clusters:
        if cluster in takers:
            findings += _all_behind(
                pairs if cluster == clusters[0] else [two[::-1] for two in pairs], cluster, clusters
            )
    findings += [finding for cluster in clusters for finding in _unread(cluster, found[cluster])]
    summary = f"{len(places)} counters looked at"
    return Check(CHECK, summary, tuple(findings), applicable=bool(places or findings))


def _by_place(counters: Iterable[Counter], names: Mapping[TableName, TableName]) -> dict[Place, Counter]:
    """Counters by the table's name in the pair and their column, the second of a column apart from the first."""
    found: dict[Place, Counter] = {}
    for one in counters:
        nth = 0
        while (place := (names[one.table], one.column.casefold(), nth)) in found:
            nth += 1
        found[place] = one
    return found


def _names(wanted: Sequence[PairedTable], clusters: tuple[str, str]) -> dict[str, dict[TableName, TableName]]:
    """By cluster: a table's name there, to its name in the pair."""
    return {cluster: {table.sides[cluster].name: table.name for table in wanted} for cluster in clusters}


def overlap(one: Counter, other: Counter) -> bool:
    """Whether the two may give the same number; also where it is not known where one of them stands.

    >>> from replguard.model.schema import Counter
    >>> from replguard.model.tables import TableName
    >>> odd, even = (Counter(TableName("s", "t"), "id", "q", n, None, 2, 1, 1000) for n in (1, 2))
    >>> overlap(odd, odd), overlap(odd, even)
    (True, False)
    """
    step, ours, theirs = gcd(one.increment, other.increment), _start(one), _start(other)
    if ours is None or theirs is None:
        return True
    if step and (ours - theirs) % step:
        return False
    here, there = _range(one), _range(other)
    return max(here[0], there[0]) <= min(here[1], there[1])


def _start(counter: Counter) -> int | None:
    return counter.next if counter.offset is None else counter.offset


def _range(counter: Counter) -> tuple[int, int]:
    if counter.cycles or counter.next is None:
        return counter.least, counter.greatest
    return (counter.next, counter.greatest) if counter.increment > 0 else (counter.least, counter.next)


def _collisions(pairs: Sequence[tuple[Counter, Counter]], clusters: tuple[str, str]) -> Iterator[Finding]:
    """AUTO_INCREMENT goes by the servers' settings, each sequence by its own."""
    by_server = [two for two in pairs if two[0].offset is not None]
    if by_server:
        remedy = "set auto_increment_increment = 2 on both, and auto_increment_offset = 1 on one and 2 on the other"
        yield _collision(by_server, clusters, remedy)
    by_sequence = [two for two in pairs if two[0].offset is None]
    if by_sequence:
        remedy = "let sequences go in steps of 2 on both sides, over odd numbers on one and over even ones on the other"
        yield _collision(by_sequence, clusters, remedy)


def _collision(pairs: Sequence[tuple[Counter, Counter]], clusters: tuple[str, str], remedy: str) -> Finding:
    names = [f"{one.table}.{one.column}" for one, _ in pairs]
    listed = ", ".join(names[:LISTED]) + ", ..." * (len(names) > LISTED)
    counters = {
        name: {cluster: _shown(one) for cluster, one in zip(clusters, two, strict=True)}
        for name, two in zip(names, pairs, strict=True)
    }
    return Finding(
        "sequence.collides",
        Severity.warn,
        f"rows written on both sides at the same time get the same numbers in {len(names)} columns: {listed}",
        remedy=remedy,
        evidence={"counters": counters},
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """A counter held against the furthest numbers of its column, by cluster."""

    counter: Counter
    extremes: dict[str, int]

    @property
    def ahead(self) -> bool:
        return self.counter.increment > 0

    @property
    def where(self) -> str:
        return (max if self.ahead else min)(self.extremes, key=lambda cluster: self.extremes[cluster])

    @property
    def furthest(self) -> int:
        return self.extremes[self.where]

    @property
    def behind(self) -> bool:
        following = self.counter.next
        if following is None:
            return False
        return following <= self.furthest if self.ahead else following >= self.furthest


def _all_behind(
    pairs: Iterable[tuple[Counter | None, Counter | None]], cluster: str, clusters: tuple[str, str]
) -> Iterator[Finding]:
    """``pairs`` hold each counter of the cluster first. One whose numbers the other side never gives is left alone: the
    greatest number of the column is the other side's, then. A sequence of several columns must go on behind them all.
    """
    (peer,) = {*clusters} - {cluster}
    held = [
        found
        for one, other in pairs
        if one is not None and (one.offset is not None or other is None or overlap(one, other))
        if (found := _Held(one, _extremes(one, other, cluster, peer))).extremes
    ]
    furthest: dict[str, int] = {}
    for found in held:
        before = furthest.get(found.counter.name, found.furthest)
        furthest[found.counter.name] = (max if found.ahead else min)(before, found.furthest)
    for found in held:
        if found.behind:
            one = found.counter
            last = furthest[one.name] if one.offset is None else found.furthest
            yield _behind(found, last + one.increment, cluster)


def _extremes(one: Counter, other: Counter | None, cluster: str, peer: str) -> dict[str, int]:
    seen = {cluster: one.extreme, peer: other.extreme if other else None}
    return {name: value for name, value in seen.items() if value is not None}


def _behind(held: _Held, goes_on: int, cluster: str) -> Finding:
    one = held.counter
    word = "greatest" if held.ahead else "least"
    return Finding(
        "sequence.behind",
        Severity.warn,
        f"{one.table}.{one.column}: {one.name} of {cluster} would go on with {one.next}, and the {word} number on "
        f"{held.where} is {held.furthest} already: inserts fail once {cluster} takes over",
        cluster=cluster,
        schema=one.table.schema,
        table=one.table.name,
        remedy=f"before {cluster} takes over, once nothing is written any more, run there: {one.set_to(goes_on)};",
        evidence={"column": one.column, **_shown(one), "extremes": held.extremes},
    )


def _shown(one: Counter) -> dict[str, Any]:
    offset = {} if one.offset is None else {"offset": one.offset}
    return {"counter": one.name, "next": one.next, "increment": one.increment, **offset}


def _unread(cluster: str, counters: Counters) -> Iterator[Finding]:
    for one in counters.unseen:
        message = f"{one.what} cannot be read by the user of {cluster}: whether its next number is free is not known"
        yield Finding(NOT_RUN, Severity.unknown, message, cluster=cluster, remedy=one.remedy)
    if counters.costly:
        listed = ", ".join(counters.costly[:LISTED]) + ", ..." * (len(counters.costly) > LISTED)
        yield Finding(
            NOT_RUN,
            Severity.info,
            f"the greatest numbers of {listed} on {cluster} are not looked for: no index begins with the column",
            cluster=cluster,
            evidence={"columns": list(counters.costly)},
        )
