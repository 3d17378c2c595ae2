"""Streams of changes: what a subscription's slot carries, read from a temporary copy of it.

The copy is read with the subscription's own publications and origin option, so that what is seen is what is sent. The
original slot does not move; the copy lives in a session of its own and dies with it, however it ends. Memory is bounded
on this side: changes are taken from a running COPY in portions, also within one huge transaction.
"""

from __future__ import annotations

import os
import secrets
import time
from binascii import unhexlify
from typing import TYPE_CHECKING

from replguard.engines.base import NAMES, Tally
from replguard.engines.postgresql.applied import applied_rows
from replguard.engines.postgresql.catalog import INTEGERS
from replguard.engines.postgresql.links import find_peer, progress, slot_of
from replguard.engines.postgresql.pgoutput import (
    IDENTITY_FULL,
    Begin,
    Commit,
    Decoder,
    MalformedMessage,
    Origin,
    RowChange,
    Truncate,
)
from replguard.engines.postgresql.position import lsn, number, wal_end
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import joined
from replguard.errors import StreamError, Unsupported
from replguard.model.changes import Change, Operation, Trouble, TroubleKind
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from typing import Any, Self

    from replguard.engines.base import AppliedRows, Server, Since, Wanted
    from replguard.engines.postgresql.pgoutput import RelationMessage, Tuple
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import Table

_BATCH = 10_000
"""Changes after which a read of the slot ends, at the next commit."""
_PORTION = 5_000
"""Changes that one poll hands out at most."""
_SLICE = 0.2
_OPERATIONS = {"I": Operation.insert, "U": Operation.update, "D": Operation.delete}
_CANNOT_SEE = (
    "DDL, sequences and large objects: logical replication does not carry them",
    "tables that no publication of the subscription publishes",
    "the initial copy of a table, which is not in the slot",
    "transactions that are prepared (two-phase) or open, before they are committed",
)


class PostgresStreams:
    """Fulfils ``Streams``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def parse(self, text: str) -> Position:
        """An LSN as the server prints it."""
        found = lsn(text)
        number(found)
        return found

    def sent(self, link: Link, target: Server, since: Since, wanted: Wanted = NAMES) -> SlotStream:  # noqa: ARG002 - the link tells all
        return SlotStream(self._server, link, since)

    def pending(self, link: Link, target: Server, wanted: Wanted = NAMES) -> SlotStream:  # noqa: ARG002 - every row is told
        """From where the target itself says it has applied, where it says so; else from what the slot knows of that.

        The slot may lag behind a target that was stopped before it could report.
        """
        subscriber = find_peer({target.name: target}, target.name)
        applied = progress(subscriber, link.detail["oid"]) if subscriber else None
        return SlotStream(self._server, link, "start", bounded=True, applied=applied)

    def own(self, since: Since, wanted: Wanted = NAMES) -> SlotStream:  # noqa: ARG002
        raise Unsupported(
            f"{self._server.name}: a PostgreSQL server's own stream does not tell which changes were replicated",
            remedy="rows tell, where track_commit_timestamp is on",
            cluster=self._server.name,
        )

    def applied_rows(self, link: Link, source: Server, tables: Sequence[Table]) -> tuple[AppliedRows, ...]:  # noqa: ARG002
        return applied_rows(self._server, link, tables)


class SlotStream:
    """Fulfils ``ChangeStream``. With ``bounded`` it ends at what was the end when it was opened.

    What lies before ``applied`` is passed over.
    """

    kind = "pgoutput"
    cannot_see = _CANNOT_SEE

    def __init__(
        self,
        source: PostgresServer,
        link: Link,
        since: Since,
        *,
        bounded: bool = False,
        applied: Position | None = None,
    ) -> None:
        self._applied = number(applied) if applied else 0
        self._source = source
        self._link = link
        self._bounded = bounded
        self._copy = f"replguard_{os.getpid()}_{secrets.token_hex(6)}"
        self._troubles: list[Trouble] = []
        self.tally = Tally()
        self._translate = Translation(_keys(source))
        self._reading: Generator[Change | Trouble, None, None] | None = None
        self.caught_up = False
        self._session = source.open()
        try:
            self._end = number(wal_end(self._session))
            self.start = self.position = self._open(since)
        except BaseException:
            self._session.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._reading:
            self._reading.close()
        self._session.close()

    @property
    def _remedy(self) -> str:
        return f"ALTER ROLE {quoted(self._source.facts['role'])} REPLICATION"

    def _open(self, since: Since) -> Position:
        slot, doing = self._link.detail["slot"], f"copying slot {self._link.detail['slot']}"
        if not slot or slot_of(self._source, slot) is None:
            raise StreamError(
                f"{self._source.name}: slot {slot!r} of {self._link.label} is gone", cluster=self._source.name
            )
        values = {"slot": slot, "copy": self._copy}
        with self._session.streaming():
            copied = self._session.row("slot_copy", values, doing=doing, remedy=self._remedy)["lsn"]
        wanted = self._end if since == "now" else self._applied if since == "start" else number(since)
        if wanted > number(copied):
            return self._advance(wanted)
        if wanted < number(copied) and since not in ("now", "start"):
            text = (
                f"{self._link.label}: changes between {lsn(wanted)} and {copied} are applied and no longer in the slot"
            )
            self._troubles.append(Trouble(TroubleKind.gap, text, lsn(wanted)))
        return lsn(copied)

    def _advance(self, to: int) -> Position:
        values = {"copy": self._copy, "lsn": lsn(min(to, self._end)).text}
        with self._session.streaming():
            return lsn(self._session.row("slot_advance", values, doing="moving on in the copied slot")["lsn"])

    def passed(self, position: Position) -> bool:
        """Whether everything up to ``position`` was read."""
        return number(self.position) >= number(position)

    def poll(self, timeout: float) -> Sequence[Change | Trouble]:
        if self._troubles:
            found, self._troubles = self._troubles, []
            return found
        deadline = time.monotonic() + timeout
        while True:
            portion = self._portion()
            if portion or (self._bounded and self.caught_up) or time.monotonic() >= deadline:
                return portion
            time.sleep(min(_SLICE, max(deadline - time.monotonic(), 0)))

    def _portion(self) -> list[Change | Trouble]:
        if self._bounded and self.caught_up:
            return []
        if self._reading is None:
            self._reading = self._changes()
        portion: list[Change | Trouble] = []
        for item in self._reading:
            portion.append(item)
            if len(portion) >= _PORTION:
                return portion
        self._reading = None
        self._note_progress()
        return portion

    def _changes(self) -> Generator[Change | Trouble, None, None]:
        values = {
            "copy": self._copy,
            "upto": lsn(self._end).text if self._bounded else None,
            "changes": _BATCH,
            "publications": joined([quoted(name) for name in self._link.detail["publications"]], ","),
            "origin": self._link.detail["origin"],
        }
        text = self._session.text("slot_changes", values)
        with self._session.streaming():
            for line in self._session.copy(text, f"reading the copied slot of {self._link.label}", self._remedy):
                at, _, data = line.rstrip(b"\n").partition(b"\t")
                yield from self._translate(unhexlify(data), lsn(at.decode()))

    def _note_progress(self) -> None:
        """What was read is behind us; the whole of it, because a read ends at a commit or at the end of the WAL."""
        row = self._session.rows("slot_confirmed", {"copy": self._copy})
        if not row or row[0]["lsn"] is None or row[0]["wal_status"] == "lost":
            raise StreamError(
                f"{self._source.name}: the copied slot of {self._link.label} was lost", cluster=self._source.name
            )
        self.position = lsn(row[0]["lsn"])
        self.caught_up = self.caught_up or number(self.position) >= self._end


class Translation:
    """Messages of one stream to changes: carries the transaction and the relations along."""

    def __init__(self, keys: Mapping[TableName, tuple[str, ...]]) -> None:
        self._decoder = Decoder()
        self._keys = keys
        self._begin: Begin | None = None
        self._origin: str | None = None

    def __call__(self, data: bytes, at: Position) -> Iterator[Change | Trouble]:
        """The changes of one message; a message that is not understood is a Trouble."""
        try:
            message = self._decoder.decode(data)
        except MalformedMessage as error:
            evidence = {"bytes": data[:32].hex(), "length": len(data)}
            yield Trouble(TroubleKind.unknown, f"at {at}: {error}", at, evidence)
            return
        if isinstance(message, Begin):
            self._begin, self._origin = message, None
        elif isinstance(message, Commit):
            self._begin = self._origin = None
        elif isinstance(message, Origin):
            self._origin = message.name
        elif isinstance(message, RowChange):
            yield self._row(message, at)
        elif isinstance(message, Truncate):
            for relation in message.relations:
                yield self._change(Operation.truncate, relation, at, {"cascade": message.cascade})

    def _row(self, message: RowChange, at: Position) -> Change:
        relation, detail = message.relation, {}
        key = self._key(relation, message.new if message.new is not None else message.old)
        if message.new is not None and message.old is not None:
            before = self._key(relation, message.old)
            if before is not None and before != key:
                detail["old_key"] = before
        return self._change(_OPERATIONS[message.kind], relation, at, detail, key)

    def _change(
        self,
        operation: Operation,
        relation: RelationMessage,
        at: Position,
        detail: Mapping[str, Any],
        key: Mapping[str, Any] | None = None,
    ) -> Change:
        begin = self._begin
        return Change(
            operation=operation,
            tables=(TableName(relation.schema, relation.name),),
            position=at,
            transaction=str(begin.xid) if begin else None,
            committed_at=begin.committed_at if begin else None,
            origin=self._origin,
            key=key,
            detail=detail,
        )

    def _key(self, relation: RelationMessage, values: Tuple | None) -> dict[str, Any] | None:
        """The table's key if the tuple has it, else its replica identity; None where there is neither."""
        if values is None:
            return None
        columns = {column.name: column for column in relation.columns}
        key = self._keys.get(TableName(relation.schema, relation.name), ())
        if not key or any(name not in values for name in key):
            if relation.identity == IDENTITY_FULL:
                return None
            key = tuple(name for name, column in columns.items() if column.in_identity and name in values)
        return {name: _shown(values[name], columns[name].type_oid) for name in key} or None


def _shown(value: bytes | None, type_oid: int) -> Any:
    if value is None:
        return None
    text = value.decode("utf-8", "surrogateescape")
    return int(text) if type_oid in INTEGERS else text


def _keys(source: PostgresServer) -> dict[TableName, tuple[str, ...]]:
    return {TableName(row["schema"], row["name"]): tuple(row["columns"]) for row in source.session.rows("keys")}
