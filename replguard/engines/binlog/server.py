"""One connected MySQL or MariaDB server: what both flavours have in common.

The flavours' own folders derive from it and fill in what they do differently: who the server is, where a snapshot is in
its stream, how its links are described and switched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from replguard.engines.base import Capabilities, OtherFlavour
from replguard.engines.binlog import load
from replguard.engines.binlog.catalog import BinlogCatalog, qualified
from replguard.engines.binlog.connection import Session, literal, open_session, text_of
from replguard.engines.binlog.privileges import account
from replguard.engines.binlog.rows import BinlogRows
from replguard.errors import ConnectError, ControlError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pymysql.connections import Connection

    from replguard.endpoint import Endpoint
    from replguard.engines.activity import Activity, Prepared, ReadOnly, Unseen
    from replguard.engines.base import Filters, OnStatement
    from replguard.engines.binlog.privileges import Privileges
    from replguard.engines.binlog.repair import BinlogRepairs
    from replguard.engines.binlog.replication import BinlogReplication
    from replguard.engines.binlog.streams import BinlogStreams
    from replguard.engines.capacity import Hindrance, Lack, Places
    from replguard.engines.controls import Holder
    from replguard.engines.settings import Setting
    from replguard.engines.sqlfiles import Quoted
    from replguard.engines.tools import Tools
    from replguard.model.links import Identity, Link
    from replguard.model.positions import Position
    from replguard.model.tables import TableName

Flavour = Literal["mysql", "mariadb"]


def version_of(text: str) -> tuple[int, ...]:
    """The numbers of VERSION().

    >>> version_of("10.11.19-MariaDB-0+deb12u1-log")
    (10, 11, 19)
    """
    return tuple(int(part) for part in text.partition("-")[0].split(".") if part.isdecimal())


class BinlogServer(ABC):
    """A connected server. Its shared session reads only; whoever changes something or holds a view opens its own."""

    flavour: ClassVar[Flavour]
    title: ClassVar[str]
    least_version: ClassVar[tuple[int, ...]]

    def __init__(self, endpoint: Endpoint, on_statement: OnStatement) -> None:
        self._endpoint = endpoint
        self._on_statement = on_statement
        self._session = open_session(endpoint, on_statement)
        try:
            self._meet()
        except BaseException:
            self.close()
            raise

    def _meet(self) -> None:
        who = self._session.run("who")[0]
        text = str(who["version"])
        flavour: Flavour = "mariadb" if "mariadb" in text.lower() else "mysql"
        if flavour != self.flavour:
            raise OtherFlavour(flavour)
        self.version = version_of(text)
        self.version_text = text
        self.account = str(who["account"])
        if self.version < self.least_version:
            least = ".".join(map(str, self.least_version))
            raise Unsupported(f"{self.title} {text} is too old: {least} is the least", cluster=self.name)
        self._session.is_of(self.flavour, text, account(self.account))
        self.variables: Mapping[str, str] = self._variables(self._session)
        self._identity = self.identify(self._session, self.variables)

    @property
    def version_number(self) -> str:
        """The version without what its packager adds."""
        return ".".join(map(str, self.version))

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def identity(self) -> Identity:
        return self._identity

    @property
    def scope(self) -> tuple[str, ...]:
        """The databases that are looked at."""
        return self._endpoint.schemas or ((self._endpoint.database,) if self._endpoint.database else ())

    @property
    def lower_case_table_names(self) -> int:
        return int(self.variables.get("lower_case_table_names", "0"))

    @property
    def capabilities(self) -> Capabilities:
        """What this server shows and keeps, by its settings."""
        why = ""
        if not is_on(self.variables, "log_bin"):
            why = "the binary log is off (log_bin)"
        elif not is_on(self.variables, "log_replica_updates", "log_slave_updates"):
            why = "replicated changes are not logged (log_replica_updates is off)"
        survives = is_on(self.variables, "skip_replica_start", "skip_slave_start")
        return Capabilities(
            not why,
            why,
            pause_survives_restart=survives,
            applier_cascades=True,
            columns_by_place=True,
            counters_follow=True,
            sends_own_stream=True,
            applier_triggers=self.variables.get("slave_run_triggers_for_rbr", "NO") != "NO",
        )

    @property
    def catalog(self) -> BinlogCatalog:
        return BinlogCatalog(self)

    @property
    def rows(self) -> BinlogRows:
        return BinlogRows(self)

    @property
    @abstractmethod
    def replication(self) -> BinlogReplication: ...

    @property
    @abstractmethod
    def filters(self) -> Filters: ...

    @property
    def streams(self) -> BinlogStreams:
        from replguard.engines.binlog.streams import BinlogStreams  # noqa: PLC0415 - the reader is large

        return BinlogStreams(self)

    @property
    def repairs(self) -> BinlogRepairs:
        from replguard.engines.binlog.repair import BinlogRepairs  # noqa: PLC0415 - few commands need it

        return BinlogRepairs(self)

    @abstractmethod
    def identify(self, session: Session, variables: Mapping[str, str]) -> Identity:
        """Who the server at the other end of ``session`` is."""

    @abstractmethod
    def begin_snapshot(self, session: Session) -> tuple[Position, Position]:
        """Start a consistent view on ``session`` and bound its position from below and above."""

    def commits_wait(self, session: Session) -> bool:  # noqa: ARG002 - for those that can tell
        """Whether a view's bounds may name commits that it does not show, since they wait for a replica."""
        return False

    @abstractmethod
    def default_of(self, row: Mapping[str, Any]) -> str | None:
        """A column's default as an expression; ``row`` is of ``columns.sql``."""

    @abstractmethod
    def hides_routines(self, privileges: Privileges) -> str | None:
        """The grant without which routines of the scope may be hidden from this user; None where it has it."""

    def fresh(self, name: str, **slots: Quoted) -> list[dict[str, Any]]:
        """Run a statement on statistics as they are now."""
        return self.run(name, **slots)

    def text(self, name: str, **slots: Quoted) -> Quoted:
        """A statement's text, as a part of another."""
        return text_of(self.flavour, name, self.version_text, **slots)

    @cached_property
    def _sees_all(self) -> bool:
        return load.sees_all(self)

    def running(self) -> int | None:
        """How many clients' statements run now besides this one; None without the privilege PROCESS."""
        return load.running(self) if self._sees_all else None

    def tls(self) -> str | None:
        """As the server says it."""
        return _text(self.run("tls")[0]["Value"]) or None

    def settings(self) -> Sequence[Setting]:
        """See :class:`replguard.engines.settings.TellsSettings`."""
        from replguard.engines.binlog import settings  # noqa: PLC0415 - only the gate asks

        return tuple(settings.settings(self))

    def schedulers(self) -> Sequence[str]:
        """The server's own scheduler is the only one, and the catalog tells of it."""
        return ()

    def mark_statement(self, table: TableName, token: str) -> str:
        """See :class:`replguard.engines.health.Marks`."""
        slots = {"table": qualified(table), "token": literal(token)}
        return text_of(self.flavour, "marker_write", self.version_text, **slots)

    def mark(self, table: TableName, token: str) -> None:
        """See :class:`replguard.engines.health.Marks`."""
        with self.open("control", read_only=False) as session:
            session.run("marker_write", table=qualified(table), token=literal(token))

    def marked(self, table: TableName) -> str | None:
        """See :class:`replguard.engines.health.Marks`."""
        rows = self.run("marker_read", table=qualified(table))
        return str(rows[0]["token"]) if rows else None

    def clock(self) -> float:
        """See :class:`replguard.engines.health.TellsTime`."""
        return float(self.run("clock")[0]["now"])

    def run(self, name: str, *params: object, **slots: Quoted) -> list[dict[str, Any]]:
        """Run a statement by name on the shared session; its rows by column name."""
        return self._session.run(name, *params, **slots)

    def open(self, purpose: str, *, pinned: bool = True, read_only: bool = True, raw_values: bool = False) -> Session:
        """A fresh connection, which must lead to the same server: proxies and poolers lie."""
        session = open_session(
            self._endpoint, self._on_statement, pinned=pinned, read_only=read_only, raw_values=raw_values
        )
        return self._proved(session, purpose)

    def open_as(self, program: str) -> Session:
        """The same, for a connection of which the server shows to others what it is for."""
        return self._proved(open_session(self._endpoint, self._on_statement, program=program), program)

    def _proved(self, session: Session, purpose: str) -> Session:
        try:
            session.is_of(self.flavour, self.version_text, account(self.account))
            self._recognise(session, purpose)
        except BaseException:
            session.close()
            raise
        return session

    def _recognise(self, session: Session, purpose: str) -> None:
        found = self.text_identity(self._variables(session))
        if found != self.identity.text:
            message = f"a new connection ({purpose}) led to {found} instead of {self.identity.text}"
            remedy = "Name the server itself in the URL, not a proxy or a virtual address."
            raise ConnectError(message, remedy=remedy, cluster=self.name)

    @abstractmethod
    def text_identity(self, variables: Mapping[str, str]) -> str:
        """The identity's text, from the settings of a connection."""

    def connection(self, purpose: str, *, pinned: bool = True) -> Connection:
        """The driver's connection of a fresh session."""
        return self.open(purpose, pinned=pinned).raw

    def close(self) -> None:
        self._session.close()

    @contextmanager
    def probe(self, token: int) -> Iterator[None]:
        """Hold a server-wide advisory lock on a connection of its own."""
        with self.open("probe") as session:
            if session.run("probe_hold", _lock_name(token))[0]["held"] != 1:
                raise ControlError(f"the advisory lock {_lock_name(token)} is taken", cluster=self.name)
            yield

    def lock(self, name: str, who: str) -> AbstractContextManager[Callable[[], bool]]:
        """See :class:`replguard.engines.controls.Locks`."""
        from replguard.engines.binlog.locks import held  # noqa: PLC0415 - only who changes something takes one

        return held(self, name, who)

    def lock_holder(self, name: str) -> Holder | None:
        from replguard.engines.binlog.locks import holder  # noqa: PLC0415 - see above

        return holder(self, name)

    def places(self) -> Sequence[Places]:
        """See :class:`replguard.engines.capacity.TellsCapacity`."""
        from replguard.engines.binlog import capacity  # noqa: PLC0415 - the gate alone asks

        return tuple(capacity.places(self))

    def lacks(self, links: Sequence[Link], tables: Sequence[TableName]) -> Sequence[Lack]:  # noqa: ARG002 - rights on a server
        from replguard.engines.binlog import capacity  # noqa: PLC0415 - see above

        return tuple(capacity.lacks(self, links))

    def way_back(self, link: Link, pause: float, forbidden: Sequence[TableName]) -> Sequence[Hindrance]:  # noqa: ARG002 - filters are the replica's
        from replguard.engines.binlog import capacity  # noqa: PLC0415 - see above

        return tuple(capacity.way_back(self, link, pause))

    def tools(self, readers: Sequence[Link]) -> Tools:
        """See :class:`replguard.engines.tools.TellsTools`."""
        from replguard.engines.binlog import tools  # noqa: PLC0415 - the gate alone asks

        return tools.look(self, readers)

    def activity(self) -> Activity:
        """See :class:`replguard.engines.activity.TellsActivity`."""
        from replguard.engines.binlog import activity  # noqa: PLC0415 - the gate alone asks

        return activity.look(self)

    def prepared(self) -> tuple[Prepared, ...]:
        from replguard.engines.binlog import activity  # noqa: PLC0415 - see above

        return activity.prepared(self)

    def read_only(self) -> ReadOnly:
        from replguard.engines.binlog import activity  # noqa: PLC0415 - see above

        return activity.read_only(self)

    def hides_locks(self) -> Unseen | None:
        """Why nobody is shown the locks that sessions hold, as the server is set; None where they are shown."""
        return None

    def sees_probe(self, token: int) -> bool:
        """Whether somebody holds that lock on this server."""
        return self.run("probe_look", _lock_name(token))[0]["holder"] is not None

    @staticmethod
    def _variables(session: Session) -> dict[str, str]:
        return {_text(row["Variable_name"]): _text(row["Value"]) for row in session.run("variables")}


def is_on(variables: Mapping[str, str], *names: str) -> bool:
    """Whether a switch is on; ``names`` are its spellings over the versions.

    >>> is_on({"log_slave_updates": "ON"}, "log_replica_updates", "log_slave_updates")
    True
    """
    return any(variables.get(name, "OFF").upper() in {"ON", "1", "YES"} for name in names)


def _lock_name(token: int) -> str:
    return f"replguard.probe.{token}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
