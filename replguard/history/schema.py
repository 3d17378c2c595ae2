"""The tables of the history, and the steps from each version of them to the next.

A step is applied in a transaction with the version that it leads to, so that a kill half-way leaves the version before;
where a server ends transactions at DDL, each step finds what of it is there already. One run writes at a time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, func, inspect, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from replguard.errors import ConfigError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

_NAME, _NUMBER, _PATIENCE = "replguard.history", 7_301_842_611, 60
METADATA = MetaData()
VERSION_TABLE = Table(
    "replguard_schema",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)
RUN = Table(
    "replguard_run",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("pair", String(64), nullable=False),
    Column("clusters", String(255), nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("document", Text().with_variant(Text(2**24), "mysql", "mariadb"), nullable=False),
)
FINDING = Table(
    "replguard_finding",
    METADATA,
    Column("run", Integer, ForeignKey("replguard_run.id", ondelete="CASCADE"), primary_key=True),
    Column("identity", String(64), primary_key=True),
    Column("severity", String(8), nullable=False),
    Column("check_id", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since_run", Integer, nullable=False),
    Column("since_at", String(40), nullable=False),
    Column("document", Text().with_variant(Text(2**24), "mysql", "mariadb"), nullable=False),
)
BY_PAIR = Index("replguard_run_by_pair", RUN.c.pair, RUN.c.id)


def _tables(connection: Connection) -> None:
    for table in (RUN, FINDING):
        table.create(connection, checkfirst=True)


def _index(connection: Connection) -> None:
    names = {index["name"] for index in inspect(connection).get_indexes(RUN.name)}
    if BY_PAIR.name not in names:
        BY_PAIR.create(connection)


STEPS: tuple[Callable[[Connection], None], ...] = (_tables, _index)
"""The step at place n leads from version n to n + 1. Steps are never changed, only added."""


def migrate(engine: Engine, steps: tuple[Callable[[Connection], None], ...] = STEPS) -> None:
    """Bring the tables to the newest version. ConfigError where they are newer than this replguard knows."""
    while (found := version_of(engine)) < len(steps):
        try:
            with alone(engine) as connection:
                if _version(connection) == found:
                    _step(connection, found, steps[found])
        except (IntegrityError, OperationalError, ProgrammingError):
            if version_of(engine) == found:
                raise
            # Another run was quicker by this step: it is done.
    if found > len(steps):
        raise ConfigError(
            f"the history has version {found} of its tables, and this replguard knows {len(steps)}",
            remedy="use the newest replguard that has written to it, or another history",
        )


def _step(connection: Connection, found: int, step: Callable[[Connection], None]) -> None:
    if not inspect(connection).has_table(VERSION_TABLE.name):
        VERSION_TABLE.create(connection)
    if connection.execute(select(VERSION_TABLE.c.version)).first() is None:
        connection.execute(VERSION_TABLE.insert().values(id=1, version=0))
    # The version comes last: MySQL and MariaDB end a transaction at each DDL, and must find a step half-way undone.
    step(connection)
    connection.execute(VERSION_TABLE.update().values(version=found + 1))


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other run's may overlap. DeadlineError where another does not end."""
    dialect = engine.dialect.name
    with engine.connect() as plain:
        connection = plain if dialect == "sqlite" else plain.execution_options(isolation_level="READ COMMITTED")
        named = dialect in ("mysql", "mariadb")
        if named:
            _take(connection)
        try:
            with connection.begin():
                if dialect == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_NUMBER)))
                yield connection
        finally:
            if named:
                connection.execute(select(func.release_lock(_NAME)))
                connection.commit()


def _take(connection: Connection) -> None:
    """The lock of this name, which is the session's: it goes with it."""
    held = connection.execute(select(func.get_lock(_NAME, _PATIENCE))).scalar()
    connection.commit()
    if held != 1:
        raise DeadlineError(
            f"another run has been writing to the history for {_PATIENCE} s", remedy="see who holds it, and run again"
        )


def version_of(engine: Engine) -> int:
    """0 where there are no tables yet."""
    with engine.connect() as connection:
        return _version(connection)


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(VERSION_TABLE.name):
        return 0
    return int(connection.execute(select(VERSION_TABLE.c.version)).scalar() or 0)
