"""A connected PostgreSQL database: who it is, and the parts that answer for it.

The main session is shared by all parts; snapshots, streams, probes and switches open sessions of their own, and each of
these is asked again who it is, because proxies and poolers lie.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from replguard.engines.postgresql.capabilities import PostgresCapabilities
from replguard.engines.postgresql.catalog import PostgresCatalog
from replguard.engines.postgresql.control import PostgresReplication
from replguard.engines.postgresql.quoting import quoted_table
from replguard.engines.postgresql.rows import PostgresRows
from replguard.engines.postgresql.session import Session
from replguard.errors import ConnectError, Unsupported
from replguard.model.links import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from replguard.endpoint import Endpoint
    from replguard.engines.activity import Activity, Prepared, ReadOnly
    from replguard.engines.base import OnStatement
    from replguard.engines.capacity import Hindrance, Lack, Places
    from replguard.engines.controls import Holder
    from replguard.engines.postgresql.repair import PostgresRepairs
    from replguard.engines.postgresql.setting import PostgresSetting
    from replguard.engines.postgresql.streams import PostgresStreams
    from replguard.engines.settings import Setting
    from replguard.engines.tools import Tools
    from replguard.model.links import Link
    from replguard.model.tables import TableName

OLDEST = 14
NEWEST = 18
"""The newest major version that the statements were run against."""

_SHOWN = (
    "system_identifier",
    "timeline",
    "database",
    "role",
    "in_recovery",
    "encoding",
    "wal_level",
    "track_commit_timestamp",
)


class PostgresServer:
    """Fulfils ``Server``. ``endpoint`` is where it was reached, ``identity`` who answered there."""

    name: str

    def __init__(self, endpoint: Endpoint, on_statement: OnStatement) -> None:
        self.name = endpoint.name
        self.endpoint = endpoint
        self.publishers: dict[int, str] = {}
        """Whom each subscription reads, by its oid: the identity of the cluster, as links were matched."""
        self.awaited: frozenset[int] = frozenset()
        """Transactions that waited for a standby when a link's slot was copied last, and may not be visible yet."""
        self._on_statement = on_statement
        self.session = Session(endpoint, on_statement)
        try:
            self.facts = self._facts(self.session)
        except BaseException:
            self.session.close()
            raise
        self.identity = _identity(self.facts)
        self.capabilities = PostgresCapabilities(self)
        self.catalog = PostgresCatalog(self)
        self.rows = PostgresRows(self)
        self.replication = PostgresReplication(self)

    @cached_property
    def filters(self) -> PostgresSetting:
        from replguard.engines.postgresql.setting import PostgresSetting  # noqa: PLC0415 - a comparison needs none

        return PostgresSetting(self)

    @cached_property
    def streams(self) -> PostgresStreams:
        from replguard.engines.postgresql.streams import PostgresStreams  # noqa: PLC0415 - the readers are large

        return PostgresStreams(self)

    @cached_property
    def repairs(self) -> PostgresRepairs:
        from replguard.engines.postgresql.repair import PostgresRepairs  # noqa: PLC0415 - few comparisons need it

        return PostgresRepairs(self)

    @property
    def major(self) -> int:
        return int(self.session.version.partition(".")[0])

    @property
    def newer_than_known(self) -> bool:
        return self.major > NEWEST

    def _facts(self, session: Session) -> Mapping[str, Any]:
        major = int(session.version.partition(".")[0])
        if major < OLDEST:
            raise Unsupported(
                f"cluster {self.name} runs PostgreSQL {session.version}; replguard needs {OLDEST} or later",
                remedy="upgrade the server",
                cluster=self.name,
            )
        remedy = f'GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO "{self.endpoint.user}"'
        return session.row("identity", doing="reading who the server is", remedy=remedy)

    def running(self) -> int | None:
        """None where the role may not see other users' sessions."""
        found: int | None = self.session.row("running")["running"]
        return found

    def settings(self) -> Sequence[Setting]:
        """See :class:`replguard.engines.settings.TellsSettings`."""
        from replguard.engines.postgresql import settings  # noqa: PLC0415 - only the gate asks

        return tuple(settings.settings(self))

    def schedulers(self) -> Sequence[str]:
        """See :class:`replguard.engines.settings.TellsSettings`."""
        from replguard.engines.postgresql import settings  # noqa: PLC0415 - only the gate asks

        return tuple(settings.schedulers(self))

    def mark_statement(self, table: TableName, token: str) -> str:
        """See :class:`replguard.engines.health.Marks`."""
        return self.session.text("marker_write", {"token": token}, table=quoted_table(table))

    def mark(self, table: TableName, token: str) -> None:
        """See :class:`replguard.engines.health.Marks`."""
        session = self.open(writes=True)
        try:
            session.rows("marker_write", {"token": token}, doing="writing the marker", table=quoted_table(table))
        finally:
            session.close()

    def marked(self, table: TableName) -> str | None:
        """See :class:`replguard.engines.health.Marks`."""
        rows = self.session.rows("marker_read", doing="reading the marker", table=quoted_table(table))
        return str(rows[0]["token"]) if rows else None

    def clock(self) -> float:
        """See :class:`replguard.engines.health.TellsTime`."""
        return float(self.session.row("clock")["now"])

    def tls(self) -> str | None:
        """As the server says it."""
        found: str | None = self.session.row("tls")["version"]
        return found

    def open(self, *, writes: bool = False, replication: bool = False, program: str | None = None) -> Session:
        """Another session with the same server, which is proved; ConnectError where another one answers."""
        session = Session(self.endpoint, self._on_statement, writes=writes, replication=replication, program=program)
        try:
            self._same(_identity(self._facts(session)).text)
        except BaseException:
            session.close()
            raise
        return session

    def _same(self, now: str) -> None:
        if now != self.identity.text:
            raise ConnectError(
                f"cluster {self.name} at {self.endpoint.address} was {self.identity.text}, and a new connection "
                f"reached {now}",
                remedy="name one server in the URL, not a proxy or an address that moves; after a failover start again",
                cluster=self.name,
            )

    def close(self) -> None:
        self.session.close()

    @contextmanager
    def probe(self, token: int) -> Iterator[None]:
        """Hold the advisory lock ``token`` (taken modulo 2^64); shared, so that it waits for nobody."""
        session = self.open()
        try:
            if not session.row("probe_hold", {"token": _bigint(token)})["held"]:
                raise ConnectError(f"cluster {self.name}: the advisory lock of the probe is taken", cluster=self.name)
            yield
        finally:
            session.close()

    def lock(self, name: str, who: str) -> AbstractContextManager[Callable[[], bool]]:
        """See :class:`replguard.engines.controls.Locks`."""
        from replguard.engines.postgresql.locks import held  # noqa: PLC0415 - only who changes something takes one

        return held(self, name, who)

    def lock_holder(self, name: str) -> Holder | None:
        from replguard.engines.postgresql.locks import holder  # noqa: PLC0415 - see above

        return holder(self, name)

    def places(self) -> Sequence[Places]:
        """See :class:`replguard.engines.capacity.TellsCapacity`."""
        from replguard.engines.postgresql import capacity  # noqa: PLC0415 - the gate alone asks

        return tuple(capacity.places(self))

    def lacks(self, links: Sequence[Link], tables: Sequence[TableName]) -> Sequence[Lack]:
        from replguard.engines.postgresql import capacity  # noqa: PLC0415 - see above

        return tuple(capacity.lacks(self, links, tables))

    def way_back(self, link: Link, pause: float, forbidden: Sequence[TableName]) -> Sequence[Hindrance]:  # noqa: ARG002 - subscriptions go by the slot
        from replguard.engines.postgresql import capacity  # noqa: PLC0415 - see above

        return tuple(capacity.way_back(self, pause, forbidden))

    def tools(self, readers: Sequence[Link]) -> Tools:
        """See :class:`replguard.engines.tools.TellsTools`."""
        from replguard.engines.postgresql import tools  # noqa: PLC0415 - the gate alone asks

        return tools.look(self, readers)

    def activity(self) -> Activity:
        """See :class:`replguard.engines.activity.TellsActivity`."""
        from replguard.engines.postgresql import activity  # noqa: PLC0415 - the gate alone asks

        return activity.look(self)

    def prepared(self) -> tuple[Prepared, ...]:
        from replguard.engines.postgresql import activity  # noqa: PLC0415 - see above

        return activity.prepared(self)

    def read_only(self) -> ReadOnly:
        from replguard.engines.postgresql import activity  # noqa: PLC0415 - see above

        return activity.read_only(self)

    def sees_probe(self, token: int) -> bool:
        return bool(self.session.row("probe_seen", {"token": _bigint(token)})["seen"])


def _bigint(token: int) -> int:
    """A number folded into the server's signed 64 bits.

    >>> _bigint(2**64 - 1), _bigint(5)
    (-1, 5)
    """
    return (token + 2**63) % 2**64 - 2**63


def _identity(facts: Mapping[str, Any]) -> Identity:
    system, timeline, database = facts["system_identifier"], facts["timeline"], facts["database"]
    detail = {key: facts[key] for key in _SHOWN}
    if int(facts["version_num"]) // 10000 > NEWEST:
        detail["untested_version"] = f"newer than {NEWEST}, the newest that replguard was run against"
    return Identity(
        engine="postgresql",
        version=facts["version"],
        text=f"pg:{system}:{timeline}/{database}",
        origins=frozenset({f"pg:{system}:{timeline}/{database}"}),
        past=frozenset(f"pg:{system}:{earlier}/{database}" for earlier in range(1, timeline)),
        detail=detail,
    )
