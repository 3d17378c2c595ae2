"""The window of a comparison: aligned views of both clusters, and all that the links carried around them.

::

    with Window(pair, tables, links, compared) as window:    # looks back over every link from here
        with window.views(seconds) as views:                 # views.of["blue"], views.of["green"]
            results = ...                                    # compare within these views
        settled = settle(window, views, results, reader, seconds)
    window.strength, window.findings

Views are taken in this order: on each source a mark (a snapshot that only tells a position), which its targets must
have applied; then the views of both sides; then the end of what each source has written, up to which its stream is
read. A row whose last change up to that end was visible at the mark is shown by both sides as that change left it:
between the two views lies no transaction that touches it. Since the mark need not be a view, both directions of a pair
can be awaited at once.

A comparison that reads on in later snapshots (as its first ones come of age, or in other processes) stays sound by
:meth:`Window.extend`: a row that was decided by the mark is shown by every snapshot between the mark and that end.

A link that is paused is read all the same: what waits in it lies between the views, and will until it is resumed. A
link whose stream cannot be read, or not to its end, makes the comparison *unaligned*.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replguard.diff.follow import Follower
from replguard.diff.moved import Moves, read_with
from replguard.diff.settled import Explanation
from replguard.engines.base import Wanted
from replguard.errors import ServerError, StreamError
from replguard.model.findings import Finding, Severity, Strength
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.moved import Touch
    from replguard.engines.base import Lookback, Row, Server, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import TableName

FIRST_SECONDS = 3.0
"""How long the first views wait at most for what is on its way: what has not arrived is settled in later rounds."""
READ_SECONDS = 30.0
"""How long a stream may take, after a comparison, to be read up to the end of its window."""


@dataclass(slots=True)
class Carrier:
    """One link between the clusters, and what is known of its stream. ``lost`` says why it cannot be read."""

    link: Link
    lookback: Lookback | None = None
    follower: Follower | None = None
    moves: Moves | None = None
    lost: ServerError | None = None
    start: Position | None = None

    @property
    def is_paused(self) -> bool:
        return self.link.state is LinkState.paused


@dataclass(slots=True)
class Views:
    """What one round sees: ``of`` holds the view of each cluster.

    ``marks`` are by source; ``obstacles``, by the link's label, say why its target has not applied the mark; ``ends``
    are up to where each link's stream must be read. ``reached`` tells a user up to which positions all was applied.
    """

    of: dict[str, Snapshot] = field(default_factory=dict)
    marks: dict[str, Snapshot] = field(default_factory=dict)
    obstacles: dict[str, str] = field(default_factory=dict)
    ends: dict[str, Position] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def awaits(self) -> bool:
        """Whether a target may show what neither its source nor a stream does; see ``Snapshot.awaits``."""
        return any(mark.awaits for mark in self.marks.values())

    @property
    def reached(self) -> str:
        return ", ".join(mark.upper.text for mark in self.marks.values())

    @property
    def obstacle(self) -> str | None:
        return "; ".join(self.obstacles.values()) or None


class Window:
    """See the module. ``links`` are all into either cluster, ``compared`` the tables whose rows are compared.

    ``timeout`` bounds the statements of views, in seconds. ``since`` is by link from where its stream is to be read,
    where that was begun by an earlier comparison.
    """

    def __init__(
        self,
        pair: Pair,
        tables: TableMap,
        links: Sequence[Link],
        compared: Sequence[PairedTable],
        timeout: float | None = None,
        since: Mapping[str, str] | None = None,
    ) -> None:
        self._pair = pair
        self._timeout = timeout
        self._since = since
        self._tables = tables
        self._compared = tuple(compared)
        self._unmatched = [link for link in links if link.source is None]
        between = [link for link in links if link.source in tables.clusters and link.target in tables.clusters]
        self.carriers = [Carrier(link) for link in between]
        self._copying = _copying(tables, between, self._compared)
        self._stack = ExitStack()
        self.strength = Strength.unaligned
        """How strongly the comparison holds; what settling found out."""

    def __enter__(self) -> Self:
        try:
            for carrier in self.carriers:
                self._look_back(carrier)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def complete(self) -> bool:
        """Whether everything that moves rows between the clusters is read."""
        return bool(self.carriers) and not self._unmatched and all(one.lost is None for one in self.carriers)

    @property
    def findings(self) -> list[Finding]:
        """Why not everything that moves rows could be read."""
        unread = [_unread(one.link, one.lost) for one in self.carriers if one.lost]
        return unread + [_unknown(link) for link in self._unmatched]

    def _look_back(self, carrier: Carrier) -> None:
        link = carrier.link
        source, target = self._pair.server(str(link.source)), self._pair.server(link.target)
        try:
            filters = target.filters.of(link, source)
            cascades = source.capabilities.applier_cascades or target.capabilities.applier_cascades
            carrier.moves = Moves(self._tables, link, filters, self._compared, cascades=cascades)
            wanted = Wanted(carrier.moves.interest, carrier.moves.shape)
            since = None
            if self._since is not None:
                since = source.streams.parse(self._begun(link))
            carrier.lookback = self._stack.enter_context(source.streams.look_back(link, target, wanted, since))
        except ServerError as error:
            carrier.lost = error

    def _begun(self, link: Link) -> str:
        """Where the link's stream was begun by the comparison that is gone on with. StreamError where it was not."""
        text = (self._since or {}).get(link.label)
        if text is None:
            raise StreamError(
                f"{link.label} was not read when this comparison was begun, so what it brought since is not known",
                remedy="compare anew, without --resume",
                cluster=link.source,
            )
        return text

    @property
    def stands(self) -> bool:
        """Whether all links are paused, so that nothing moves between the clusters."""
        return all(one.is_paused for one in self.carriers)

    @property
    def starts(self) -> dict[str, str]:
        """By link where its stream begins, once views were taken."""
        return {one.link.label: one.start.text for one in self.carriers if one.start}

    @contextmanager
    def views(self, seconds: float) -> Iterator[Views]:
        """Views of both sides. Targets are given ``seconds`` to apply what the sources have.

        Raises ServerError where no snapshot can be had.
        """
        views = Views()
        first = not any(carrier.follower for carrier in self.carriers)
        deadline = time.monotonic() + (min(seconds, FIRST_SECONDS) if first else seconds)
        try:
            self._mark(views)
            self._await(views, deadline)
            self._take(views)
            for carrier in self.carriers:
                self._follow(carrier, views)
            self.extend(views)
            yield views
        finally:
            views.stack.close()

    def renew(self, views: Views) -> None:
        """Take new snapshots in place of those of these views, which are let go. The window reaches to the new ones."""
        views.stack.close()
        views.of.clear()
        self._take(views)
        self.extend(views)

    def _take(self, views: Views) -> None:
        for server in self._pair:
            if server.name not in views.of:
                views.of[server.name] = views.stack.enter_context(self._snapshot(server))

    def extend(self, views: Views) -> None:
        """Let the window reach to now, where rows were also read in snapshots that were taken later: before these are
        judged.
        """
        for carrier in self.carriers:
            if carrier.lost is None:
                try:
                    views.ends[carrier.link.label] = self._pair.server(str(carrier.link.source)).streams.end()
                except ServerError as error:
                    carrier.lost = error

    def _snapshot(self, server: Server) -> AbstractContextManager[Snapshot]:
        return server.rows.snapshot(self._timeout) if self._timeout else server.rows.snapshot()

    def _mark(self, views: Views) -> None:
        """A mark on each source. Where there is only one its view can be the mark, since nobody waits for the other."""
        sources = {str(one.link.source) for one in self.carriers if not one.is_paused}
        for name in sources:
            snapshot = self._snapshot(self._pair.server(name))
            if len(sources) == 1:
                views.of[name] = views.stack.enter_context(snapshot)
                views.marks[name] = views.of[name]
                continue
            with snapshot as mark:
                views.marks[name] = mark

    def _await(self, views: Views, deadline: float) -> None:
        for carrier in self.carriers:
            link = carrier.link
            if carrier.is_paused:
                views.obstacles[link.label] = f"{link.label} is paused"
                continue
            obstacle = self._arrives(carrier, views.marks[str(link.source)], deadline)
            if obstacle:
                views.obstacles[link.label] = obstacle

    def _arrives(self, carrier: Carrier, mark: Snapshot, deadline: float) -> str | None:
        """Wait until the target has applied what the mark shows: what stood in the way, None if it has.

        Where the stream is read already, it is waited for the last that it carries up to now: the end of a log may lie
        behind that, and be reached only when more is written.
        """
        link, position = carrier.link, mark.upper
        source, target = self._pair.server(str(link.source)), self._pair.server(link.target)
        try:
            if carrier.follower and carrier.lost is None:
                end = source.streams.end()
                if not carrier.follower.read_to(end, deadline - time.monotonic()):
                    return f"what {link.label} carries was not read up to {end} in time"
                position = carrier.follower.position
            arrived = target.replication.wait_applied(link, source, position, max(deadline - time.monotonic(), 0.0))
        except ServerError as error:
            return f"{link.label} does not move: {error.message}"
        return None if arrived else f"{link.label} did not reach {position} in time"

    def _follow(self, carrier: Carrier, views: Views) -> None:
        if carrier.follower or carrier.lost or carrier.lookback is None or carrier.moves is None:
            return
        source, target = (views.of[name] for name in (str(carrier.link.source), carrier.link.target))
        try:
            stream = self._stack.enter_context(carrier.lookback.stream([source], [target]))
        except ServerError as error:
            carrier.lost = error
            return
        carrier.start = stream.start
        carrier.follower = self._stack.enter_context(Follower(stream, carrier.moves, carrier.link.label))

    def read_to_end(self, views: Views) -> bool:
        """Read every stream up to the end that was noted with the views. Whether all were."""
        deadline = time.monotonic() + READ_SECONDS
        for carrier in self.carriers:
            if carrier.lost or carrier.follower is None:
                continue
            try:
                reached = carrier.follower.read_to(views.ends[carrier.link.label], deadline - time.monotonic())
            except ServerError as error:
                carrier.lost = error
                continue
            if not reached:
                message = f"what {carrier.link.label} carries was not read to its end within {READ_SECONDS:.0f} s"
                carrier.lost = StreamError(message, cluster=carrier.link.source)
        return self.complete()

    def lies_between(self, views: Views, table: TableName, key: Row) -> bool:
        """Whether a change of the row may lie between the views of this round, as far as the streams were read."""
        touches = [(one, touch) for one in self.carriers if one.moves for touch in one.moves.of(table, key)]
        return any(_between(views, carrier, touch) for carrier, touch in touches)

    def is_whole(self, views: Views, table: TableName, *, keyed: bool = True) -> bool:
        """Whether what may lie between the views is not told row by row: any change, of tables that are not keyed."""
        if table in self._copying:
            return True
        touches = [(one, one.moves.whole(table, keyed=keyed)) for one in self.carriers if one.moves]
        return any(touch is not None and _between(views, carrier, touch) for carrier, touch in touches)

    def moving(self, views: Views, table: TableName) -> set[Row]:
        """The rows of which a change may lie between the views."""
        return {
            key
            for carrier in self.carriers
            if carrier.moves
            for key, touch in carrier.moves.rows(table)
            if _between(views, carrier, touch)
        }

    def moved(self, table: TableName) -> int:
        """How many rows of the table moved so far."""
        return len({key for one in self.carriers if one.moves for key, _ in one.moves.rows(table)})

    def explain(self, table: TableName, key: Row | None) -> Explanation:
        """The last change of the row, or of any row of the table."""
        found = [
            (touch.change.committed_at or _LONG_AGO, one.link, touch)
            for one in self.carriers
            if one.moves
            for touch in (one.moves.of(table, key) if key is not None else one.moves.any(table))
        ]
        if not found:
            return Explanation()
        _, link, touch = max(found, key=lambda one: (one[0], one[2].number))
        change = touch.change
        return Explanation(change.position.text, change.transaction, change.committed_at, change.origin, link.label)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _between(views: Views, carrier: Carrier, touch: Touch) -> bool:
    """Whether a change may be on one side and not on the other: unless the mark shows it and was applied."""
    mark = views.marks.get(str(carrier.link.source))
    return mark is None or carrier.link.label in views.obstacles or not mark.holds(touch.change)


def _copying(tables: TableMap, links: Sequence[Link], compared: Sequence[PairedTable]) -> frozenset[TableName]:
    """The tables whose first copy over a link is not finished: rows of it stand in no stream."""
    return frozenset(
        table
        for link in links
        if link.initial_copy
        for name, table in read_with(tables, compared, link.target).items()
        if str(name) in link.initial_copy
    )


def _unknown(link: Link) -> Finding:
    why = f": {link.why_unmatched}" if link.why_unmatched else ""
    return Finding(
        "check.not_run",
        Severity.info,
        f"whose changes {link.label} brings is not known, so what differed was read again over time{why}",
        cluster=link.target,
        link=link.label,
        remedy="remove the link if it is not wanted; `replguard status` tells more",
    )


def _unread(link: Link, error: ServerError) -> Finding:
    return Finding(
        "check.not_run",
        Severity.info,
        f"what {link.label} carries could not be read, so what differed was read again over time: {error.message}",
        cluster=link.source,
        link=link.label,
        remedy=error.remedy,
    )
