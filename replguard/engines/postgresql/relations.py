"""What is known of a table while a stream is read: how much of its rows is wanted, and which columns are its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.engines.postgresql.catalog import INTEGERS
from replguard.engines.postgresql.pgoutput import IDENTITY_FULL, MalformedMessage
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.engines.base import Wanted
    from replguard.engines.postgresql.messages import RelationMessage, RowChange, Tuple
    from replguard.model.changes import Interest


@dataclass(frozen=True, slots=True)
class Shape:
    """One relation as it was described last."""

    name: TableName
    interest: Interest
    key: tuple[str, ...]
    identity: tuple[str, ...]
    integers: frozenset[str]
    columns: int = 0
    short: tuple[str, ...] = ()
    """The key, else the identity."""
    places: tuple[int, ...] = ()
    """Where ``short`` stands in a tuple; empty where it does not."""
    key_is_identity: bool = False
    """Whether the key can be told from the old key alone."""

    def key_of(self, values: Tuple | None) -> dict[str, Any] | None:
        """The table's key if the tuple has it, else its replica identity; None where there is neither."""
        if values is None:
            return None
        for columns in (self.key, self.identity):
            if columns and all(column in values for column in columns):
                return {column: self.shown(column, values[column]) for column in columns}
        return None

    def shown(self, column: str, value: bytes | None) -> Any:
        if value is None:
            return None
        if column not in self.integers:
            return value.decode("utf-8", "surrogateescape")
        try:
            return int(value)
        except ValueError:
            raise MalformedMessage(f"the integer column {column!r} holds none") from None

    def whole(self, values: Tuple | None) -> dict[str, Any] | None:
        return None if values is None else {column: self.shown(column, value) for column, value in values.items()}

    def skimmed(self, values: Sequence[bytes | None]) -> dict[str, Any]:
        """The key from the values at its places."""
        return {column: self.shown(column, value) for column, value in zip(self.short, values, strict=True)}


def shape_of(relation: RelationMessage, wanted: Wanted, keys: Mapping[TableName, tuple[str, ...]]) -> Shape:
    """``keys`` serve where nobody else knows the table's shape."""
    name = TableName(relation.schema, relation.name)
    known = wanted.shape(name)
    identity = tuple(column.name for column in relation.columns if column.in_identity)
    key = known.key if known else keys.get(name, ())
    # With the full row as identity every column is marked, which makes no key.
    identity = () if relation.identity == IDENTITY_FULL else identity
    short = key or identity
    order = {column.name: place for place, column in enumerate(relation.columns)}
    return Shape(
        name=name,
        interest=wanted.interest(name),
        key=key,
        columns=len(relation.columns),
        short=short,
        places=tuple(order[column] for column in short) if all(column in order for column in short) else (),
        key_is_identity=set(short) <= set(identity),
        identity=identity,
        integers=frozenset(column.name for column in relation.columns if column.type_oid in INTEGERS),
    )


def changed_columns(message: RowChange) -> frozenset[str] | None:
    """Columns of an update whose values differ; None where the old row did not travel. Unchanged TOAST is equal."""
    if message.kind != "U" or message.old is None or message.new is None or not message.whole_old:
        return None
    old = message.old
    return frozenset(column for column, value in message.new.items() if column not in old or old[column] != value)
