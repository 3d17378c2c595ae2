"""Portions of tables, and what a server says of their rows: values that can be pickled and carried to any worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.model.tables import Table

    Key = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The rows whose key is at or above ``lower`` and below ``upper``, as the server compares keys; None is unbounded.

    Ranges from one bound to the next, the first and the last unbounded, hold each row of a table: exactly once where
    the bounds are in the server's own order, at least once where they are not. Rows with a NULL in the key are in no
    such range but in the one with ``nulls``, which has no bounds.
    """

    lower: Key | None = None
    upper: Key | None = None
    nulls: bool = False


WHOLE = KeyRange()


@dataclass(frozen=True, slots=True)
class Function:
    """How a server hashes a row.

    Two servers compute the same function if ``name`` and ``basis`` are equal: ``basis`` holds the versions and
    architecture that the result depends on, and is empty where it depends on none.
    """

    name: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows of one table as one side has it, hashed over ``columns`` by the function of this name.

    Ranges go by ``table.key``; without a key the only range is the whole table.
    """

    table: Table
    columns: tuple[str, ...]
    function: str
    within: KeyRange = WHOLE


@dataclass(frozen=True, slots=True)
class Sum:
    """The exact sum of the row hashes of a portion.

    ``rows`` counts all rows, ``hashed`` those that have a hash: where it is less, some row is too large for the
    function, and the sum says nothing.
    """

    rows: int
    hashed: int
    total: int
