"""Where runs are kept: any database that SQLAlchemy speaks to, by default a file of SQLite in the state folder.

A run is stored in one transaction, with its findings, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import create_engine, delete, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from replguard.endpoint import expand
from replguard.errors import ConfigError, ReplguardError, ServerError
from replguard.history.compare import UNSEEN, Seen, compare
from replguard.history.schema import FINDING, RUN, alone, migrate
from replguard.model.plain import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import URL, Connection, Engine, Row

FILE = "history.sqlite"
_SCHEMES = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run; ``document`` is its report."""

    id: int
    pair: str
    clusters: str
    started_at: str
    finished_at: str
    seconds: float
    verdict: str
    document: dict[str, Any]
    findings: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of storing a run: its findings with their states, and those of the run before that are gone."""

    id: int
    previous: int | None
    findings: tuple[Seen, ...]
    gone: tuple[Seen, ...]
    previous_verdict: str | None = None


def pair_of(document: Mapping[str, Any]) -> str:
    """By which the runs of a pair are known: the scope of the run, else its servers, whatever a config calls them."""
    scope = document.get("data", {}).get("scope")
    if scope:
        return sha256(scope)[:20]
    names = sorted(facts["identity"] for facts in document["clusters"].values())
    return hashlib.blake2b("\n".join(names).encode("utf-8", "backslashreplace"), digest_size=10).hexdigest()


class History:
    """Runs in one database. A context manager that closes it. Raises ConfigError for a URL that is none, ServerError
    where the database does not do its part.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._engine = _engine(self._url)

    def __enter__(self) -> Self:
        with self._explained():
            migrate(self._engine)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._engine.dispose()

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self._url.render_as_string(hide_password=True)

    def add(self, document: Mapping[str, Any]) -> Stored:
        """Store the document of a report, held against the run before of the same pair."""
        pair, began = pair_of(document), str(document["started_at"])
        scoped = document.get("data", {}).get("scope") or {}
        with self._explained(), alone(self._engine) as connection:
            last = connection.execute(
                select(RUN.c.id, RUN.c.verdict).where(RUN.c.pair == pair).order_by(RUN.c.id.desc()).limit(1)
            ).first()
            before = self._findings(connection, last.id) if last else ()
            now, gone = compare(document, before, began)
            values = {
                "pair": pair,
                "clusters": ", ".join(document["clusters"] or scoped.get("databases", ()))[:255],
                "started_at": began,
                "finished_at": str(document["finished_at"]),
                "seconds": _seconds(document),
                "verdict": document["verdict"],
                "document": _text(document),
            }
            inserted = connection.execute(RUN.insert().values(values)).inserted_primary_key
            number = int(inserted[0]) if inserted else 0
            # What could not be looked at is kept, so that the next run can tell whether it persists.
            kept = [*now, *(one for one in gone if one.state == UNSEEN)]
            for one in kept:
                connection.execute(FINDING.insert().values(_row(number, one)))
        found = tuple(_since(one, number) for one in now)
        previous, verdict = (last.id, last.verdict) if last else (None, None)
        return Stored(number, previous, found, tuple(gone), verdict)

    def runs(self, limit: int | None = None, pair: str | None = None) -> list[Run]:
        """The newest first, without their findings."""
        query = select(RUN).order_by(RUN.c.id.desc()).limit(limit)
        if pair:
            query = query.where(RUN.c.pair == pair)
        with self._explained(), self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(query)]

    def run(self, number: int | None = None) -> Run:
        """One run, by default the newest. ConfigError where there is none of this number."""
        query = select(RUN).where(RUN.c.id == number) if number else select(RUN).order_by(RUN.c.id.desc()).limit(1)
        with self._explained(), self._engine.connect() as connection:
            row = connection.execute(query).first()
            if row is None:
                what = f"there is no run {number}" if number else "there is no run yet"
                raise ConfigError(f"{what} in {self.name}", remedy="`replguard history list` lists them")
            return _run(row, self._findings(connection, row.id))

    def counts(self, pair: str, limit: int) -> list[tuple[Run, dict[str, int]]]:
        """The last runs of a pair, the oldest first, with how many findings of each severity they told."""
        runs = self.runs(limit, pair)[::-1]
        query = select(FINDING.c.run, FINDING.c.severity, func.count()).where(
            FINDING.c.run.in_([run.id for run in runs]), FINDING.c.state != UNSEEN
        )
        found: dict[int, dict[str, int]] = {}
        with self._explained(), self._engine.connect() as connection:
            for number, severity, count in connection.execute(query.group_by(FINDING.c.run, FINDING.c.severity)):
                found.setdefault(number, {})[severity] = count
        return [(run, found.get(run.id, {})) for run in runs]

    def prune(self, *, keep: int | None = None, before: str | None = None) -> int:
        """Remove old runs, of each pair all but the newest ``keep``, or those that began before; how many went.

        The newest run of a pair always stays: the next is held against it.
        """
        with self._explained(), alone(self._engine) as connection:
            rows = connection.execute(select(RUN.c.id, RUN.c.pair, RUN.c.started_at).order_by(RUN.c.id.desc())).all()
            places: dict[str, int] = {}
            gone = []
            for row in rows:
                place = places[row.pair] = places.get(row.pair, 0) + 1
                old = (keep is not None and place > keep) or (before is not None and row.started_at < before)
                if place > 1 and old:
                    gone.append(row.id)
            for number in gone:
                connection.execute(delete(FINDING).where(FINDING.c.run == number))
                connection.execute(delete(RUN).where(RUN.c.id == number))
        return len(gone)

    def _findings(self, connection: Connection, number: int) -> tuple[Seen, ...]:
        rows = connection.execute(select(FINDING).where(FINDING.c.run == number).order_by(FINDING.c.identity))
        return tuple(
            Seen(row.identity, row.check_id, json.loads(row.document), row.state, row.since_run, row.since_at)
            for row in rows
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ReplguardError:
            raise
        except SQLAlchemyError as error:
            words = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise ServerError(
                f"the history in {self.name} cannot be used: {words}",
                remedy="check --history, and that its user may create and write tables there",
            ) from None


def default_url(folder: Path) -> str:
    """The file in a state folder."""
    return f"sqlite:///{folder.expanduser().absolute() / FILE}"


def _parsed(text: str) -> URL:
    try:
        url = make_url(expand(text, "the history"))
        return url.set(drivername=_SCHEMES.get(url.drivername, url.drivername))
    except ArgumentError:
        raise ConfigError(
            "the history is no URL of a database", remedy="write sqlite:////var/lib/replguard/history.sqlite, ..."
        ) from None


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # It holds values of rows: nobody else may read it, wherever it lies.
            Path(url.database).touch(mode=0o600)
        engine = create_engine(url, connect_args={"timeout": 30})
    except (NoSuchModuleError, ImportError) as error:
        words = f"no driver for {url.drivername} is installed ({error})"
        raise ConfigError(words, remedy="install its Python driver, or use another database") from None
    except OSError as error:
        raise ConfigError(
            f"{url.database} cannot be made: {error.strerror}", remedy="name another file with --history"
        ) from None
    # Python's driver begins a transaction late and ends it before DDL: so it is told to leave that to us.
    event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _seconds(document: Mapping[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(str(document[name])) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _text(value: Any) -> str:
    """JSON in ASCII: a database may have any character set."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def _since(one: Seen, number: int) -> Seen:
    return one if one.since_run else Seen(one.identity, one.check, one.finding, one.state, number, one.since_at)


def _row(number: int, one: Seen) -> dict[str, Any]:
    return {
        "run": number,
        "identity": one.identity,
        "severity": one.finding["severity"],
        "check_id": one.check,
        "code": one.finding["code"],
        "state": one.state,
        "since_run": one.since_run or number,
        "since_at": one.since_at,
        "document": _text(one.finding),
    }


def _run(row: Row[Any], findings: tuple[Seen, ...] = ()) -> Run:
    document = json.loads(row.document)
    return Run(
        row.id,
        row.pair,
        row.clusters,
        row.started_at,
        row.finished_at,
        row.seconds,
        row.verdict,
        document,
        findings,
    )
