"""Values and keys as a report shows them: shortened, masked on request, integers as integers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Row, Value
    from replguard.model.tables import Column, Table

LONGEST = 120


class Display:
    """How the rows of one table are shown; ``columns`` are those that were read, in that order."""

    def __init__(self, table: Table, columns: Sequence[str], *, mask: bool = False) -> None:
        self.columns = [table.column(name) for name in columns]
        self.mask = mask

    def key(self, values: Row) -> dict[str, Any] | None:
        """The key as JSON: integers as integers, even where values are masked, all else as text; None where the table
        has no key.
        """
        named = zip(self.columns, values, strict=False)
        return {
            column.name: int(value)
            if column.kind is ColumnKind.integer and value is not None
            else self.value(column, value)
            for column, value in named
        } or None

    def row(self, values: Row) -> dict[str, Any]:
        """A whole row, for tables without a key."""
        return {column.name: self.value(column, value) for column, value in zip(self.columns, values, strict=True)}

    def differing(self, left: Row, right: Row) -> dict[str, list[Any]]:
        """Column to the values of both sides, for the columns that differ."""
        return {
            column.name: [self.value(column, ours), self.value(column, theirs)]
            for column, ours, theirs in zip(self.columns, left, right, strict=True)
            if ours != theirs
        }

    def texts(self, row: Row) -> dict[str, str | None]:
        """The row for a predicate: case-folded column name to the full text of the value."""
        named = zip(self.columns, row, strict=True)
        return {column.name.casefold(): _text(column, value) for column, value in named}

    def value(self, column: Column, value: Value) -> Any:
        """One value. NULL is null; what is long is cut and followed by its length and hash."""
        if value is None:
            return None
        if self.mask:
            return f"masked ({len(value)} bytes, blake2b {_fingerprint(value)})"
        if column.kind is ColumnKind.integer:
            return int(value)
        text = _text(column, value) or ""
        if len(text) <= LONGEST:
            return text
        return f"{text[: LONGEST - 40]}... ({len(value)} bytes, blake2b {_fingerprint(value)})"


def _text(column: Column, value: Value) -> str | None:
    if value is None:
        return None
    if column.kind is ColumnKind.binary:
        return f"0x{value.hex()}"
    return value.decode("utf-8", "backslashreplace")


def _fingerprint(value: bytes) -> str:
    return hashlib.blake2b(value, digest_size=8).hexdigest()
