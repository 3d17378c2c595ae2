"""Whether log files belong together, in which order, and whether one follows the other without a hole: pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.files import is_file_name, order
from replguard.engines.binlog.gtid import MariaDBGtidState
from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.gtid import MySQLGtidSet
    from replguard.engines.binlog.loghead import Head


@dataclass(frozen=True, slots=True)
class Ended:
    """A file that was read to its end, and what had been executed by then; None where the file does not tell."""

    head: Head
    gtids: MySQLGtidSet | MariaDBGtidState | None


def ordered(heads: Sequence[Head]) -> tuple[Head, ...]:
    """The files in the order of their numbers, where all have one and the same base name; else as they were given.

    Raises UsageError for files that are no one stream.
    """
    _refuse_twice(heads)
    _refuse_mixture(heads)
    if len({_base(head.name) for head in heads}) == 1 and all(is_file_name(head.name) for head in heads):
        return tuple(sorted(heads, key=lambda head: order(head.name)))
    return tuple(heads)


def _base(name: str) -> str:
    return name.rpartition(".")[0]


def _refuse_twice(heads: Sequence[Head]) -> None:
    for what in ("path", "name"):
        counts = Counter(head.path.resolve() if what == "path" else head.name for head in heads)
        twice = [str(name) for name, count in counts.items() if count > 1]
        if twice:
            raise UsageError(
                f"{twice[0]} is given twice" + (" (from different folders)" if what == "name" else ""),
                remedy="name each file once",
            )


def _refuse_mixture(heads: Sequence[Head]) -> None:
    told = [head for head in heads if not head.unreadable and head.server_version]
    relay, binlog = ([head for head in told if head.relay is kind] for kind in (True, False))
    if relay and binlog:
        raise UsageError(
            f"{relay[0].path} is a relay log and {binlog[0].path} a binlog: they are not one stream",
            remedy="scan each kind by itself",
        )
    other = next((head for head in told if head.server_id != told[0].server_id), None)
    if other:
        raise UsageError(
            f"{told[0].path} was written by the server with server_id {told[0].server_id}, {other.path} by "
            f"{other.server_id}: they are not one stream",
            remedy="scan each server's files by themselves",
        )


def hole(ended: Ended, after: Head) -> str | None:
    """Why ``after`` does not follow the file that ended, in words; None where it does."""
    before = ended.head
    if before.unreadable:
        return f"{before.name}, which comes before {after.name}, was not read"
    if _numbered_apart(before.name, after.name):
        return f"between {before.name} and {after.name} a file is missing"
    if before.next_file is not None and _other_file(before.next_file, after.name):
        return f"{before.name} is followed by {before.next_file}, and {after.name} was given"
    told = _gtids_follow(ended.gtids, after.before) if not before.relay else None
    if told is False:
        return f"{after.name} begins after {after.before}, but {before.name} ends with {ended.gtids}"
    if (
        told
        or (before.next_file and is_file_name(after.name))
        or (before.stopped and _numbered(before.name, after.name))
    ):
        return None
    return f"whether {after.name} follows {before.name} cannot be told: {before.name} does not end by naming it"


def _numbered(before: str, after: str) -> bool:
    return is_file_name(before) and is_file_name(after) and _base(before) == _base(after)


def _numbered_apart(before: str, after: str) -> bool:
    return _numbered(before, after) and order(after) != order(before) + 1


def _other_file(wanted: str, given: str) -> bool:
    """Whether the file given is not the one wanted; a copy may have another base name, or a name of its own."""
    return is_file_name(wanted) and is_file_name(given) and order(wanted) != order(given)


def _gtids_follow(
    executed: MySQLGtidSet | MariaDBGtidState | None, before: MySQLGtidSet | MariaDBGtidState | None
) -> bool | None:
    """Whether what one file ends with is what the next begins after; None where one of them does not tell."""
    if executed is None or before is None:
        return None
    if isinstance(executed, MariaDBGtidState) and isinstance(before, MariaDBGtidState):
        # A domain that is gone was deleted by an administrator; one that has moved is a hole.
        moved = any(executed.last.get(domain) != place for domain, place in before.last.items())
        return not moved and (before.covers_anything or not executed.covers_anything)
    return str(executed) == str(before)
