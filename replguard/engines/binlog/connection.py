"""Connections to MySQL and MariaDB: opened, pinned, and the one way in which a statement is sent.

Which statement to send is the business of those who call; what an error means is told by
:mod:`replguard.engines.binlog.errors`.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import errors, tls
from replguard.engines.sqlfiles import Quoted, root, statement
from replguard.errors import ConfigError, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Self

    from pymysql.connections import Connection

    from replguard.endpoint import Endpoint

PROGRAM = "replguard"
_PLAIN_OPTIONS = ("unix_socket", "read_default_file", "read_default_group", "bind_address")


def quoted(name: str) -> Quoted:
    """An identifier in backticks.

    >>> quoted('Order`"; DROP--')
    '`Order``"; DROP--`'
    """
    return Quoted("`" + name.replace("`", "``") + "`")


def literal(text: str) -> Quoted:
    """A string literal, for statements that take no parameters (channel and connection names).

    >>> literal("it's")
    "'it''s'"
    """
    return Quoted("'" + text.replace("\\", "\\\\").replace("'", "''") + "'")


def integer(value: int) -> Quoted:
    """A number as text."""
    return Quoted(str(int(value)))


@lru_cache(maxsize=256)
def _folder(flavour: str, name: str) -> str:
    folder = root() / flavour
    own = (folder / f"{name}.sql").is_file() or any(folder.glob(f"{name}@*.sql"))
    return flavour if own else "binlog"


def text_of(flavour: str, name: str, version: str, **slots: Quoted) -> Quoted:
    """The statement called ``name``: the flavour's own, else the one that both share."""
    return statement(_folder(flavour, name), name, version, **slots)


class Session:
    """One connection. Every statement goes through it, is told to ``on_statement`` first, and fails with our errors.

    ``raw`` is the driver's connection, for who needs the wire; wrap its use in :meth:`translated`.
    """

    def __init__(self, raw: Connection, endpoint: Endpoint, on_statement: Callable[[str, str], None]) -> None:
        self.raw = raw
        self.endpoint = endpoint
        self.flavour = ""
        self.version = ""
        self._account = ""
        self._on_statement = on_statement
        self._lock = threading.RLock()

    @property
    def thread_id(self) -> int:
        return int(self.raw.thread_id())  # type: ignore[no-untyped-call] # the stubs leave its result open

    def is_of(self, flavour: str, version: str, account: str) -> None:
        """Say what the server is, which decides about the variants of statements, and as whom it knows us."""
        self.flavour, self.version, self._account = flavour, version, account

    def translated(self, what: str = "", text: str = "") -> AbstractContextManager[None]:
        return errors.translated(self.endpoint, what, text, self._account)

    def run(self, name: str, *params: object, **slots: Quoted) -> list[dict[str, Any]]:
        """Run the statement called ``name`` and return its rows by column name."""
        return self.send(text_of(self.flavour, name, self.version, **slots), *params, what=name)

    def send(self, text: Quoted, *params: object, what: str = "") -> list[dict[str, Any]]:
        """Send a statement's text, which came out of ``sql/``, and return its rows by column name."""
        from pymysql.cursors import DictCursor  # noqa: PLC0415 - starting up must be quick

        with self._lock, self.translated(what, text), self.raw.cursor(DictCursor) as cursor:
            cursor.execute(self._final(text, params))
            return list(cursor.fetchall())

    @contextmanager
    def stream(self, text: Quoted, what: str = "") -> Iterator[Iterator[tuple[Any, ...]]]:
        """The rows of a statement as they come. Leaving early does not wait for the rest: it ends the statement."""
        from pymysql.cursors import SSCursor  # noqa: PLC0415 - starting up must be quick

        cursor = self.raw.cursor(SSCursor)
        ended = False

        def rows() -> Iterator[tuple[Any, ...]]:
            nonlocal ended
            with self.translated(what):
                while (row := cursor.fetchone()) is not None:
                    yield row
            ended = True

        try:
            with self.translated(what, text):
                cursor.execute(self._final(text, ()))
            yield rows()
        finally:
            if not ended:
                self.kill_query()
            with suppress(*errors.driver_errors()):
                cursor.close()

    def kill_query(self) -> None:
        """End the statement that runs on this connection, from any thread; quiet where there is none to end."""
        with suppress(*errors.driver_errors()):
            other = _dial(self.endpoint, {})
            try:
                text = text_of(self.flavour, "kill_query", self.version, thread=integer(self.thread_id))
                self._on_statement(self.endpoint.name, text)
                other.query(text)
            finally:
                other.close()

    def _final(self, text: str, params: tuple[object, ...]) -> str:
        """The text as it is sent: parameters are put in here, so that a % in a name needs no care anywhere."""
        final = str(self.raw.cursor().mogrify(text, params)) if params else str(text)
        self._on_statement(self.endpoint.name, final)
        return final

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with suppress(*errors.driver_errors()):
            if self.raw.open:
                self.raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_session(
    endpoint: Endpoint,
    on_statement: Callable[[str, str], None],
    *,
    pinned: bool = True,
    read_only: bool = True,
    raw_values: bool = False,
    program: str = PROGRAM,
) -> Session:
    """Connect. ``pinned`` sets what changes the text of values; ``raw_values`` gives columns as the bytes sent.

    ``program`` is what the server shows of the connection.

    Raises ConnectError and its children, and PrivilegeError for a database that may not be used.
    """
    extra = (_raw_values() if raw_values else {}) | {"program_name": program}
    try:
        raw = _dial(endpoint, extra)
    except errors.driver_errors() as error:
        raise errors.on_connect(error, endpoint) from error
    session = Session(raw, endpoint, on_statement)
    try:
        if pinned:
            session.send(statement("binlog", "session"), what="session")
        if pinned and read_only:
            session.send(statement("binlog", "read_only"), what="read_only")
    except ConnectionLost:
        session.close()
        raise
    return session


def _raw_values() -> dict[str, Any]:
    from pymysql.converters import conversions  # noqa: PLC0415 - starting up must be quick

    encoders = {kind: encode for kind, encode in conversions.items() if not isinstance(kind, int)}
    return {"use_unicode": False, "conv": encoders}


def _dial(endpoint: Endpoint, extra: dict[str, Any]) -> Connection:
    asked = tls.wanted(endpoint)
    arguments = _arguments(endpoint) | extra
    if asked.needed:
        arguments["ssl"] = tls.context(endpoint, asked)
    elif asked.mode == "disabled":
        arguments["ssl_disabled"] = True
    # The driver's connect_timeout ends when the port accepts, and a server that hangs accepts. Later reads may last.
    connection = driver()(**arguments, read_timeout=arguments["connect_timeout"])
    vars(connection)["_read_timeout"] = None
    return connection


@cache
def driver() -> type[Connection]:
    """The driver's connection, but that none loads all authorities for TLS whose certificate nobody looks at."""
    from pymysql.connections import Connection  # noqa: PLC0415 - starting up must be quick

    class Driver(Connection):
        def _create_ssl_ctx(self, chosen: Any) -> Any:
            return super()._create_ssl_ctx(chosen or tls.unverified())  # type: ignore[misc] # the stubs lack it

    return Driver


def _arguments(endpoint: Endpoint) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "host": endpoint.host,
        "port": endpoint.port or 0,
        "user": endpoint.user,
        "password": endpoint.password or "",
        "database": endpoint.database or None,
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": 10,
        "program_name": PROGRAM,
    }
    for option, value in endpoint.options.items():
        arguments.update(_option(endpoint, option, value))
    return arguments


def _option(endpoint: Endpoint, option: str, value: str) -> dict[str, Any]:
    if option in _PLAIN_OPTIONS:
        return {option: value}
    if option == "connect_timeout" and value.isdecimal():
        return {option: int(value)}
    if option in {"charset", *tls.OPTIONS}:
        return {}
    known = ", ".join(sorted((*_PLAIN_OPTIONS, *tls.OPTIONS, "connect_timeout")))
    message = f"cluster {endpoint.name}: the URL's option {option!r} is not understood"
    raise ConfigError(message, remedy=f"Options of a mysql or mariadb URL: {known}.", cluster=endpoint.name)
