"""One connection with pinned settings, through which every statement goes.

Statements are named by their file in ``sql/postgresql/``. Values are inserted by the driver on this side, so that the
text shown is exactly the text sent. A session is for one thread at a time; any may call :meth:`Session.cancel`.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.rows import DictRow, dict_row

from replguard.engines.postgresql import tls
from replguard.engines.postgresql.errors import connect_error, server_error, stream_error
from replguard.engines.sqlfiles import Quoted, statement
from replguard.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from psycopg.pq.abc import PGconn

    from replguard.endpoint import Endpoint
    from replguard.engines.base import OnStatement

ENGINE_NAME = "postgresql"
_OPTIONS = {
    "connect_timeout": "connect_timeout",
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslcrl": "sslcrl",
    "ssl_ca": "sslrootcert",
    "ssl_cert": "sslcert",
    "ssl_key": "sslkey",
    "sslpassword": "sslpassword",
    "ssl_min_protocol_version": "ssl_min_protocol_version",
    "passfile": "passfile",
    "unix_socket": "host",
    "host": "host",
    "hostaddr": "hostaddr",
    "gssencmode": "gssencmode",
    "channel_binding": "channel_binding",
    "target_session_attrs": "target_session_attrs",
    "require_auth": "require_auth",
    "keepalives_idle": "keepalives_idle",
    "tcp_user_timeout": "tcp_user_timeout",
}


def parameters(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint as libpq's parameters; ConfigError names an option that is not known here."""
    result: dict[str, Any] = {"connect_timeout": "10"}
    for key, value in endpoint.options.items():
        if key not in _OPTIONS:
            raise ConfigError(
                f"the URL of cluster {endpoint.name!r} has the option {key!r}, which PostgreSQL has no use for",
                remedy=f"remove it; known are {', '.join(sorted(_OPTIONS))}",
                cluster=endpoint.name,
            )
        result[_OPTIONS[key]] = value
    given = {"host": endpoint.host, "port": endpoint.port, "user": endpoint.user, "password": endpoint.password}
    result |= {key: value for key, value in given.items() if value is not None}
    result = tls.completed(endpoint, result)
    return result | {"dbname": endpoint.database, "client_encoding": "UTF8", "application_name": "replguard"}


class Session:
    """A connection in autocommit; read-only unless ``writes``. With ``replication`` a WAL sender answers it.

    ``program`` is what the server shows of it to everybody, its first 63 bytes.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        on_statement: OnStatement,
        *,
        writes: bool = False,
        replication: bool = False,
        program: str | None = None,
    ) -> None:
        self.cluster = endpoint.name
        self.version = ""
        self._on_statement = on_statement
        self._lock = RLock()
        self._streaming = False
        wanted = parameters(endpoint) | ({"replication": "database"} if replication else {})
        wanted |= {"application_name": program} if program else {}
        try:
            self._connection: psycopg.Connection[DictRow] = psycopg.connect(
                **wanted, autocommit=True, row_factory=dict_row, cursor_factory=psycopg.ClientCursor
            )
        except psycopg.Error as error:
            raise connect_error(error, endpoint) from None
        version = self._connection.info.server_version
        self.version = f"{version // 10000}.{version % 10000}"
        try:
            self.rows("session", {"read_only": "off" if writes else "on"}, doing="pinning the session's settings")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The server's process of this session."""
        return self._connection.info.backend_pid

    def text(self, name: str, values: dict[str, Any] | None = None, **slots: Quoted) -> Quoted:
        """The final text of a statement: slots and values filled."""
        if values is None:
            return statement(ENGINE_NAME, name, self.version, **slots)
        # The driver reads % as its own where values are given, in names too.
        escaped = {slot: Quoted(text.replace("%", "%%")) for slot, text in slots.items()}
        template = statement(ENGINE_NAME, name, self.version, **escaped)
        with psycopg.ClientCursor(self._connection) as cursor:
            return Quoted(cursor.mogrify(template.encode(), values))

    def rows(
        self,
        name: str,
        values: dict[str, Any] | None = None,
        *,
        doing: str = "",
        remedy: str | None = None,
        **slots: Quoted,
    ) -> list[DictRow]:
        """Run a statement and return its rows as mappings (none for a command). Raises ServerError's children."""
        text = self.text(name, values, **slots)
        with self._lock, self.explained(doing or name, remedy), self._connection.cursor() as cursor:
            self._on_statement(self.cluster, text)
            cursor.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def row(
        self, name: str, values: dict[str, Any] | None = None, *, doing: str = "", remedy: str | None = None
    ) -> DictRow:
        """The one row of a statement that always has one."""
        return self.rows(name, values, doing=doing, remedy=remedy)[0]

    def results(self, text: Quoted, doing: str, remedy: str | None = None) -> list[list[DictRow]]:
        """The rows of each of several statements that are sent at once; the first that fails ends them all."""
        with self._lock, self.explained(doing, remedy), self._connection.cursor() as cursor:
            self._on_statement(self.cluster, text)
            cursor.execute(text.encode())
            found = []
            more: bool | None = True
            while more:
                if cursor.description:
                    found.append(cursor.fetchall())
                more = cursor.nextset()
            return found

    def copy_both(self, text: Quoted, doing: str) -> PGconn:
        """Send a replication command that begins a stream, and hand out the wire below, which belongs to it then."""
        self._on_statement(self.cluster, text)
        wire = self._connection.pgconn
        with self._lock, self.explained(doing):
            result = wire.exec_(text.encode())
            if result.status != ExecStatus.COPY_BOTH:
                raise error_from_result(result, encoding="utf-8")
        return wire

    def copy(self, text: Quoted, doing: str, remedy: str | None = None) -> Generator[bytes, None, None]:
        """The lines of ``COPY ... TO STDOUT`` as the server sends them; memory does not grow with their number."""
        with self._lock, self.explained(doing, remedy), self._connection.cursor() as cursor:
            self._on_statement(self.cluster, text)
            with cursor.copy(text.encode()) as copy:
                for line in copy:
                    yield bytes(line)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Within this, errors of a slot that is gone, lost or in use are StreamErrors."""
        before, self._streaming = self._streaming, True
        try:
            yield
        finally:
            self._streaming = before

    @contextmanager
    def explained(self, doing: str, remedy: str | None = None) -> Iterator[None]:
        """Turn the driver's errors into replguard's."""
        try:
            yield
        except psycopg.Error as error:
            judge = stream_error if self._streaming else server_error
            raise judge(error, self.cluster, doing, remedy) from None

    def cancel(self) -> None:
        """End the running statement from another thread; nothing happens where none runs."""
        # What psycopg < 3.2 has instead asks without encryption.
        getattr(self._connection, "cancel_safe", self._connection.cancel)()

    def close(self) -> None:
        """May be called twice; the server drops temporary slots, locks and transactions of the session."""
        self._connection.close()
