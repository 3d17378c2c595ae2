"""Who else reads a link's publications: they are not changed under somebody else's feet.

A slot does not remember which publications it is read with. What tells is a subscription of the target whose slot it
is, and the command of the sender that reads it; of any other slot it must be taken that it reads them all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.postgresql.aside import aside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link

_COMMAND = re.compile(r"publication_names '((?:[^']|'')*)'")
_NAME = re.compile(r'"((?:[^"]|"")*)"')


def shared(publisher: PostgresServer, target: PostgresServer, link: Link, names: Iterable[str]) -> frozenset[str]:
    """Those of the link's publications that others read, or may read."""
    mine = {link.detail["slot"], aside(link.detail["slot"])}
    known = _by_subscription(publisher, target)
    copying = f"pg_{link.detail['oid']}_sync_"
    found: set[str] = set()
    for row in publisher.session.rows("publication_readers"):
        slot = row["slot"]
        if slot in mine or slot.startswith(copying):
            continue
        read = known.get(slot) or known.get(aside(slot)) or named_in(row["command"])
        found |= set(names) if read is None else set(names) & read
    return frozenset(found)


def _by_subscription(publisher: PostgresServer, target: PostgresServer) -> dict[str, set[str]]:
    """The publications of subscriptions of the target that were matched with this source, by their slots, or by the
    names that stand for these while they are put aside.
    """
    rows = target.session.rows("subscriptions", doing="reading subscriptions")
    return {
        row["slot"]: set(row["publications"])
        for row in rows
        if row["slot"] and target.publishers.get(row["oid"]) == publisher.identity.text
    }


def named_in(command: str | None) -> set[str] | None:
    r"""The publications that a sender's command names; None where it names none.

    >>> sorted(named_in('... LOGICAL 0/0 (proto_version \'4\', publication_names \'"p","a""b"\')'))
    ['a"b', 'p']
    >>> named_in("<insufficient privilege>")
    """
    found = _COMMAND.search(command or "")
    if not found:
        return None
    return {name.replace('""', '"') for name in _NAME.findall(found[1].replace("''", "'"))}
