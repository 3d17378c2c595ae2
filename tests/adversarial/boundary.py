"""Commands whose statements are held one by one: before each is sent, the test decides what becomes of it.

``python -m tests.adversarial.boundary`` is a process that has replguard imported and forks once for each command, as a
new process of the command line would be, without the time that starting costs. A command that is held connects to the
test's socket, tells every statement before it is sent, and waits for a word:

- ``go``: send it
- ``spoil``: send it with a word in front that the server refuses

What else happens to it meanwhile (it is killed, its connections are cut, a server restarts) is the test's business.
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import sys
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from replguard.__main__ import main
from replguard.control import breaker, pause, receipt, resume  # noqa: F401 - forked commands need not import them
from replguard.engines.binlog.connection import Session as BinlogSession
from replguard.engines.pair import Pair
from replguard.engines.postgresql.session import Session as PostgresSession
from replguard.engines.sqlfiles import Quoted
from replguard.journal import Entry, Journal

if TYPE_CHECKING:
    from collections.abc import Callable

_SPOILT = "REPLGUARD_SPOILT "
BEFORE = "before anything was written down"
_PLACES = re.compile(r"(has applied) .*", re.DOTALL)
"""What differs from run to run in a note of the journal."""


class Held(threading.local):
    """What the statement that is about to be sent is called, and whether to spoil it; each thread has its own."""

    name = ""
    spoil = False


class Line:
    """The line to the test. ``step`` is what was written into the journal last."""

    def __init__(self, path: str) -> None:
        self.step = BEFORE
        self.held = Held()
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._answers: IO[str] = self._socket.makefile("r")

    def on_statement(self, cluster: str, text: str) -> None:
        """Tell it and wait for the word. A test that is gone lets everything go."""
        step = _PLACES.sub(r"\1 ...", self.step)
        told = {"cluster": cluster, "name": self.held.name, "step": step, "text": text}
        with self._lock, suppress(OSError):
            self._socket.sendall(json.dumps(told).encode() + b"\n")
            self.held.spoil = self._answers.readline().strip() == "spoil"

    def spoilt(self, text: Any) -> Any:
        """The text as it is to be sent; spoilt once."""
        if not self.held.spoil:
            return text
        self.held.spoil = False
        return _SPOILT.encode() + text if isinstance(text, bytes) else Quoted(_SPOILT + text)


def hold(path: str) -> None:
    """Hold every statement of this process."""
    line = Line(path)
    _hold_pair(line)
    _follow_journal(line)
    _hold_binlog(line)
    _hold_postgresql(line)


def _hold_pair(line: Line) -> None:
    opened = Pair.open.__func__  # type: ignore[attr-defined] # mypy takes it for the bound method

    def held(cls: Any, config: Any, on_statement: Any = None) -> Any:
        def told(cluster: str, text: str) -> None:
            if on_statement:
                on_statement(cluster, text)
            line.on_statement(cluster, text)

        return opened(cls, config, told)

    _replace(Pair, open=classmethod(held))


def _follow_journal(line: Line) -> None:
    """The step of a statement is the note that was written before it."""
    note, begin, close = Entry.note, Journal.begin, Entry.close

    def noted(self: Entry, step: str, *more: Any, **facts: Any) -> None:
        note(self, step, *more, **facts)
        line.step = step

    def begun(self: Journal, action: str, *more: Any, **facts: Any) -> Entry:
        entry = begin(self, action, *more, **facts)
        line.step = f"begin {action}"
        return entry

    def closed(self: Entry, outcome: str, *more: Any, **facts: Any) -> None:
        close(self, outcome, *more, **facts)
        line.step = f"closed: {outcome}"

    _replace(Entry, note=noted, close=closed)
    _replace(Journal, begin=begun)


def _hold_binlog(line: Line) -> None:
    from pymysql.connections import Connection  # noqa: PLC0415 - in the fork, as the product does

    _named(line, BinlogSession, "send", lambda _self, _text, *_params, what="": what)
    _named(line, BinlogSession, "stream", lambda _self, _text, what="": what)
    query = Connection.query

    def spoilt(self: Any, sql: Any, unbuffered: bool = False) -> Any:
        return query(self, line.spoilt(sql), unbuffered)

    _replace(Connection, query=spoilt)


def _hold_postgresql(line: Line) -> None:
    import psycopg  # noqa: PLC0415

    _named(line, PostgresSession, "rows", lambda _self, name, *_more, **_slots: name)
    _named(line, PostgresSession, "results", lambda _self, _text, doing, *_more, **_kw: doing)
    _named(line, PostgresSession, "copy", lambda _self, _text, doing, *_more, **_kw: doing)
    execute, both = psycopg.Cursor.execute, PostgresSession.copy_both

    def spoilt(self: Any, query: Any, *more: Any, **options: Any) -> Any:
        return execute(self, line.spoilt(query), *more, **options)

    def streamed(self: PostgresSession, text: Quoted, doing: str) -> Any:
        line.held.name = doing
        tell = self._on_statement
        self._on_statement = lambda _cluster, _text: None
        try:
            tell(self.cluster, text)
            return both(self, line.spoilt(text), doing)
        finally:
            self._on_statement = tell

    _replace(psycopg.Cursor, execute=spoilt)
    _replace(PostgresSession, copy_both=streamed)


def _named(line: Line, session: type, method: str, name_of: Callable[..., str]) -> None:
    """Let the line know what the statement is called that a session is about to send."""
    original = getattr(session, method)

    @functools.wraps(original)
    def told(self: Any, *args: Any, **options: Any) -> Any:
        line.held.name = name_of(self, *args, **options)
        return original(self, *args, **options)

    _replace(session, **{method: told})


def _replace(of: type, **methods: Any) -> None:
    for name, method in methods.items():
        setattr(of, name, method)


def _run(order: dict[str, Any]) -> None:
    """In the fork: be the command, never come back."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.dup2(os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(os.open(order["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["replguard", *order["arguments"]]
    if order["socket"]:
        hold(order["socket"])
    code: Any = 70
    try:
        main()
    except SystemExit as end:
        code = end.code
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def serve() -> None:
    """One command after the other, as standard input orders; standard output tells its pid, then how it ended."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(json.loads(line))
        out.write(f"{pid}\n")
        _, status = os.waitpid(pid, 0)
        out.write(f"{os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    serve()
