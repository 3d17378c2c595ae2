"""What somebody who mends checksums may change without being noticed: nothing else.

These are the limits of what a file can prove about itself, listed also in ``replguard/engines/binlog/README.md``:

- content that nothing else repeats: names of tables and databases, texts of statements, values of rows, times, server
  ids, numbers of transactions, MariaDB's mark to skip replication, the kind of a row event among those whose bodies are
  laid out alike, a GTID turned into an anonymous one
- with every later event moved to its new place (the large forger): a row event left out of, doubled or moved within a
  statement of several (or the only one of a statement, where another statement of rows follows at once), a statement
  within a transaction of statements, and whole transactions as far as no later file lists their identifiers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.adversarial.mutations import Event

ROWS = frozenset({23, 24, 25, 30, 31, 32, 39, *range(166, 172)})
WITHOUT_MEANING = frozenset({5, 9, 11, 13, 14, 17, 28, 29, 36, 37, 160, 161})
"""Types of events that only accompany others: to turn an event into one of these is to leave it out."""
_TEXTS = frozenset({2, 165, 18})
_GTID, _ANONYMOUS = 33, 34
_MARIADB_GTID = 162
_STANDALONE = 1
_STATEMENT_END = 1
_TABLE_MAP = 19
_OPENING = (b"BEGIN", b"XA START")
SKIP_REPLICATION = 0x8000


def may_become(found: Sequence[Event], index: int, after: int) -> bool:
    """Whether a change of an event's type alone is content: told otherwise, with nothing to say that it is wrong."""
    before = found[index].type
    if before in ROWS:
        return after in ROWS or (after in WITHOUT_MEANING and may_move(found, index))
    if before in _TEXTS and after in WITHOUT_MEANING:
        return may_move(found, index)
    return (before, after) == (_GTID, _ANONYMOUS)


def may_move(found: Sequence[Event], index: int) -> bool:
    """Whether the large forger may leave this event out, double it, or swap it with its neighbour."""
    event = found[index]
    if event.type in ROWS:
        return not event.body[6] & _STATEMENT_END or _TABLE_MAP in [
            after.type for after in found[index + 1 : index + 2]
        ]
    return event.type in _TEXTS and _within_transaction(found, index)


def _within_transaction(found: Sequence[Event], index: int) -> bool:
    for event in reversed(found[:index]):
        if event.type in (_GTID, _ANONYMOUS, 42):
            return False
        if event.type == _MARIADB_GTID:
            return not event.body[12] & _STANDALONE
        if event.type == 2 and any(event.body.endswith(word) or word in event.body[-40:] for word in _OPENING):
            return True
    return False
