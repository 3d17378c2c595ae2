"""What control asks of an engine beyond :mod:`replguard.engines.base`: locks, filters that are set, guards, budgets.

Everything that changes a server is told as data first (:class:`Step`), so that it can be shown, stored in a plan or a
journal, done, and taken back by another process than the one that began it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from replguard.engines.base import AppliedRows, ChangeStream, Server, Wanted
    from replguard.errors import ServerError
    from replguard.model.changes import Change
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import Table, TableName


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as far as the server tells: ``who`` is what the holder said of itself when it took it."""

    who: str
    since: datetime | None = None


class LockHeld(Exception):  # noqa: N818 - caught by control, which tells it in its own words
    """The lock is held by another connection."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(holder.who)
        self.holder = holder


@runtime_checkable
class Locks(Protocol):
    """Servers on which an operator's lock can be taken."""

    def lock(self, name: str, who: str) -> AbstractContextManager[Callable[[], bool]]:
        """Hold the server-wide lock ``name`` on a connection of its own, as long as the context lasts.

        It ends with that connection, so a killed owner blocks nobody. ``who`` is told to whoever asks for it meanwhile.
        Never waits: LockHeld where another connection has it. What the context yields asks the server whether the lock
        is held still, and says no where the connection was lost.
        """
        ...

    def lock_holder(self, name: str) -> Holder | None:
        """Who holds the lock now; None where nobody does."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done on one server. Plain data: it can be written into a plan file and read back.

    ``action`` is the engine's own word for it and ``detail`` what it needs to do it, both opaque outside of the engine;
    ``statements`` are the final texts as they will be sent, ``undo`` those that take it back, for people to read.
    ``words`` says what it does in a clause. ``after`` is what :meth:`SetsFilters.state` says under these of its keys
    once the step is done: by it a plan that was begun is told from one that is stale, and one that is done is verified.
    So a step of a plan changes no key that it does not name here.
    """

    cluster: str
    link: str
    action: str
    words: str
    statements: tuple[str, ...]
    undo: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What makes one link let through what it should and nothing else.

    ``state`` is what the steps were made from, as plain data that JSON keeps as it is (lists, no tuples; compare by
    equality: a plan is stale when it differs). Whether the link runs belongs to it where the steps depend on that.
    ``persist`` are lines for the option file of ``persist_on``, with a comment where they belong. ``steps`` are empty
    where the link is as it should be already. ``refused`` says, in sentences, why there can be no plan: a name that no
    rule can express, a rule of somebody else that stands in the way; then there are no steps.
    """

    link: Link
    state: Mapping[str, Any]
    steps: tuple[Step, ...]
    persist: tuple[str, ...] = ()
    persist_on: str | None = None
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedFilter:
    """What one link should let through: tables of the source that must not cross, and those that must.

    ``forbidden`` includes globs' matches on either side, tables that only the target has among them; ``local`` tables
    are left as they are set now. ``globs`` are the policy's rules of must_not_sync as written (``table`` or
    ``schema.table``, case does not matter), for engines that can keep out tables that come later.
    """

    forbidden: tuple[Table, ...]
    config: tuple[Table, ...]
    local: tuple[Table, ...] = ()
    globs: tuple[str, ...] = ()


@runtime_checkable
class SetsFilters(Protocol):
    """``Server.filters`` of engines whose filters replguard can set (called on the target of the link)."""

    def state(self, link: Link, source: Server) -> Mapping[str, Any]:
        """Everything that a plan depends on, read now: filters as set, publications, the tables' names."""
        ...

    def plan(self, link: Link, source: Server, wanted: WantedFilter) -> LinkPlan:
        """The steps from what is set now to what is wanted, with the least interruption. Nothing is changed."""
        ...

    def do(self, link: Link, source: Server, step: Step) -> None:
        """Do one step of a plan, or do it again: a step that is done already changes nothing and is no error."""
        ...

    def undo(self, link: Link, source: Server, step: Step) -> None:
        """Take back one step of a plan, done, half done or not done at all."""
        ...


GUARD = "replguard_guard_"
"""How the names of guards begin."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What makes one link let through what it should, written for ``cluster`` in the words of a form.

    ``refused`` says, in sentences, what the form cannot say; then there are no lines.
    """

    cluster: str
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@runtime_checkable
class ExportsFilters(Protocol):
    """``Server.filters`` of engines whose filters can be written down for other tools."""

    @property
    def exports(self) -> tuple[str, ...]:
        """The forms that make sense for this engine: its own, and those of tools that read its changes."""
        ...

    def export(self, form: str, link: Link, source: Server, wanted: WantedFilter) -> Exported:
        """The rules of a link in one of the engine's own forms. Nothing is changed. KeyError for another form."""
        ...


@runtime_checkable
class Guards(Protocol):
    """``Server.streams`` of engines that can keep their own stream from a moment on, for reading it later."""

    def make_guard(self, name: str, timeout: float) -> Position:
        """Keep the log from here on. Made again under a name that is there, it is the one that is there.

        Unsupported where it could not be read later (``why`` in the message), DeadlineError with the blocking session.
        """
        ...

    def drop_guard(self, name: str) -> None:
        """Let go of it; no error where it is gone."""
        ...

    def guard_statements(self, name: str) -> tuple[str, ...]:
        """The statement that makes a guard where nothing can be copied, for showing it first."""
        ...

    def guards(self) -> tuple[str, ...]:
        """The names of all guards that this database has, whoever made them (they begin with :data:`GUARD`)."""
        ...

    def guarded(self, name: str, wanted: Wanted, since: Position | None = None) -> ChangeStream:
        """Everything that was committed on this server since the guard was made, or since a later position, up to the
        present end; the guard does not move. StreamError where the guard is gone or lost.
        """
        ...

    def guard_kept(self, name: str) -> Kept:
        """What the guard costs and how long it may last. StreamError where it is gone or lost."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """``Server.rows`` of engines without a log to read later: what tells afterwards that rows changed."""

    def remember(self, tables: Sequence[Table]) -> Mapping[str, Any]:
        """What must be known to tell later what changed in these tables, as plain data for a receipt."""
        ...

    def changed_since(self, memory: Mapping[str, Any], tables: Sequence[Table]) -> Sequence[ChangedTable]:
        """The tables that changed since; tables that cannot be told are told as unknown. Rows that were written as they
        were are no change.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChangedTable:
    """What is known to have changed in a table: ``rows`` rows were inserted or updated, ``keys`` names the first of
    them (none in a table without a key); ``deleted`` that rows are gone, None where it cannot be told. With
    ``why_unknown`` nothing is known but what is said besides.
    """

    table: TableName
    keys: tuple[Mapping[str, Any], ...] = ()
    deleted: bool | None = False
    why_unknown: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """How long what a paused link still needs is kept, as one server says it now.

    ``bytes_kept`` is what is kept for the link already, ``bytes_free`` the room until it is lost (the smallest of
    free disk and a configured limit; ``limit`` says which in words), ``seconds`` the time until it expires by age.
    None where the server does not tell, which is never taken for "for ever": ``unknown`` says why, in words.
    ``written`` is the log's total length, whose growth between two looks is the rate; ``mean`` is the rate over a long
    time before, in bytes a second, where the server knows it. ``age_limit`` says in words what ``seconds`` comes from.
    ``no_disk`` says why the room on the disk is not in ``bytes_free``. ``danger`` says that what is needed may be lost
    any moment, ``lost`` that it is.
    """

    written: int | None
    bytes_kept: int | None = None
    bytes_free: int | None = None
    limit: str = ""
    seconds: float | None = None
    age_limit: str = ""
    mean: float | None = None
    unknown: tuple[str, ...] = ()
    no_disk: str | None = None
    danger: str | None = None
    lost: str | None = None


@runtime_checkable
class Keeps(Protocol):
    """``Server.streams`` of engines that say how long their log is kept."""

    def kept(self, link: Link, target: Server) -> Kept:
        """What the pause of this link costs and how long it may last (called on its source)."""
        ...

    def written(self) -> int | None:
        """The log's total length now, for a look before a pause."""
        ...


@dataclass(frozen=True, slots=True)
class Restarter:
    """Something that starts a link by itself, in a sentence; not ``sure`` where it only may, or could not be seen."""

    sentence: str
    sure: bool = True


@runtime_checkable
class StaysStopped(Protocol):
    """``Server.replication`` of engines that can say, or see to it, that links stay stopped."""

    def hold(self, link: Link, ours: Collection[str]) -> tuple[Step, ...]:
        """The steps that keep the link stopped over a restart, empty where it stays so, or nothing can be done.

        ``ours`` are the names of all links into this server that are to stay stopped; Unsupported where others would be
        left stopped too.
        """
        ...

    def do(self, step: Step) -> None:
        """Do one of these steps; done again it changes nothing."""
        ...

    def undo(self, step: Step) -> None:
        """Take one of these steps back; no error where it was not done."""
        ...

    def restarters(self, link: Link) -> tuple[Restarter, ...]:
        """What would start the link again by itself: a restart, an election in a group, an event, ..."""
        ...


@dataclass(frozen=True, slots=True)
class OwnWrites:
    """What a server wrote itself, and the source of its link does not have.

    ``transactions`` names them in the engine's words, empty where there are none. ``open`` reads a stream, up to the
    present end, in which all of them stand that can still be read, ``holds`` tells them from what else stands in it;
    None where nothing is to be read. ``unread`` says in words what cannot be read (any more).
    """

    transactions: str
    open: Callable[[Wanted], ChangeStream] | None
    holds: Callable[[Change], bool]
    unread: str = ""


@runtime_checkable
class TellsOwnWrites(Protocol):
    """``Server.streams`` of engines whose log tells what was written on the server itself."""

    def own_writes(self, source: Server, since: Position | None = None) -> OwnWrites:
        """What this server has and ``source`` has not; with ``since``, a position of this server, only what came later.

        Unsupported where the log does not tell.
        """
        ...


@runtime_checkable
class TellsLocalRows(Protocol):
    """``Server.streams`` of engines whose rows tell whether replication wrote them."""

    def local_rows(self, tables: Sequence[Table], seconds: float) -> Sequence[AppliedRows | ServerError]:
        """For each table the rows that stand in it and were written on this server itself.

        An error stands for a table of which that could not be told within ``seconds`` for all of them together.
        Unsupported where rows do not tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a link finds on its source what it needs next.

    ``there`` is None where that is not known, or holds now and need not hold in a moment; ``why`` is a sentence that
    names the link's place, ``remedy`` what helps where it is not there for certain.
    """

    there: bool | None
    why: str
    remedy: str | None = None


@runtime_checkable
class Reaches(Protocol):
    """``Server.streams`` of engines that tell whether a link can go on where it stands."""

    def reach(self, link: Link, target: Server) -> Reach:
        """Whether what the target has not received yet is still there (called on the source). Nothing is changed."""
        ...
