"""Which changes of a stream are asked for: those of a time, of some servers, of some GTID domains. Pure.

A change whose time, server or domain the stream does not tell is never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.model.changes import Change


@dataclass(frozen=True, slots=True)
class Window:
    """``begins`` and ``ends`` bound the time of the commit, both inclusive. An empty set means all."""

    begins: datetime | None = None
    ends: datetime | None = None
    server_ids: frozenset[int] = frozenset()
    domains: frozenset[int] = frozenset()

    @property
    def restricted(self) -> bool:
        """Whether changes of the time that is looked at are left out."""
        return bool(self.server_ids or self.domains)

    def at_time(self, moment: datetime | None) -> bool:
        """Whether what was committed then is looked at."""
        if moment is None:
            return True
        return (self.begins is None or moment >= self.begins) and (self.ends is None or moment <= self.ends)

    def is_reached_by(self, *moments: datetime | None) -> bool:
        """Whether a log that holds something of one of these moments reaches back to the beginning."""
        return self.begins is None or any(moment is not None and moment <= self.begins for moment in moments)

    def of_server(self, change: Change) -> bool:
        """Whether the change is one of the servers and domains asked for."""
        server, domain = change.detail.get("server_id"), change.detail.get("domain_id")
        wrong_server = self.server_ids and server is not None and int(server) not in self.server_ids
        wrong_domain = self.domains and domain is not None and int(domain) not in self.domains
        return not (wrong_server or wrong_domain)

    def is_over(self, moment: datetime | None) -> bool:
        """Whether what is committed then, and all that follows, lies behind the end."""
        return self.ends is not None and moment is not None and moment > self.ends

    def left_out(self) -> tuple[str, ...]:
        """What is not looked at, in words for the coverage.

        >>> Window(server_ids=frozenset({2, 1})).left_out()
        ('changes of other servers than 1, 2 (--server-id)',)
        """
        words = []
        if self.begins:
            words.append(f"changes that were committed before {self.begins.isoformat()} (--since)")
        if self.ends:
            words.append(f"changes that were committed after {self.ends.isoformat()} (--until)")
        if self.server_ids:
            words.append(f"changes of other servers than {_listed(self.server_ids)} (--server-id)")
        if self.domains:
            words.append(f"changes of other GTID domains than {_listed(self.domains)} (--gtid-domain)")
        return tuple(words)


EVERYTHING = Window()


def moment(text: str) -> datetime | None:
    """A time in ISO 8601, in the local zone where it names none; None for what is no time.

    >>> moment("2026-03-01T12:00:00+02:00").isoformat(), moment("0-1-270"), moment("binlog.000001:4")
    ('2026-03-01T12:00:00+02:00', None, None)
    """
    if "-" not in text:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone()


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
