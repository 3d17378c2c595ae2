"""Which rows have one of some keys, as a condition that finds at least these.

Types of the server's own are compared by their own rules, so that an index serves; under these more may be equal than
is meant (1.0 and 1.00, letters of either case under some collations), never less, and who reads keeps only what is
equal exactly. All other types are compared by their printed form, which is exact and reads the whole table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.postgresql.catalog import BYTEA
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.engines.base import Row
    from replguard.engines.postgresql.session import Session

OWN = {
    16: "bool",
    17: "bytea",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "text",
    26: "oid",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "text",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1266: "timetz",
    1700: "numeric",
    2950: "uuid",
}
MOST_KEYS = 1000
MOST_BYTES = 512 * 1024
"""A statement asks for so many keys at most, and its values take about this many bytes at most."""


class Condition(NamedTuple):
    """The columns of the key as they are compared, and the arrays of what they may have."""

    key: Quoted
    arrays: Quoted


def batches(keys: Iterable[Row]) -> Iterator[list[Row]]:
    """The keys in portions for one statement each. A key with a NULL is no row's."""
    batch: list[Row] = []
    size = 0
    for key in keys:
        if None in key:
            continue
        cost = sum(len(value or b"") + 4 for value in key)
        if batch and (len(batch) >= MOST_KEYS or size + cost > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += cost
    if batch:
        yield batch


def condition(session: Session, bases: Mapping[str, int], keys: Sequence[Row]) -> Condition:
    """What holds for all rows with these keys; ``bases`` are the oids of the types of the key's columns."""
    columns: list[Quoted] = []
    values: list[Quoted] = []
    for (name, base), found in zip(bases.items(), zip(*keys, strict=True), strict=True):
        own = OWN.get(base)
        columns.append(quoted(name) if own else statement("postgresql", "key_output", column=quoted(name)))
        texts = [text_of(base, value or b"") for value in found]
        values.append(session.text("key_values", {"values": texts}, type=quoted(own or "text")))
    return Condition(joined(columns), joined(values))


def text_of(base: int, value: bytes) -> str:
    return rf"\x{value.hex()}" if base == BYTEA else value.decode()
