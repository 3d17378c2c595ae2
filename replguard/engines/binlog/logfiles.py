"""Binlog and relay-log files of MySQL and MariaDB, as ``base.LogFiles`` wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.base import NAMES
from replguard.engines.binlog import filters, loghead, logorder
from replguard.engines.binlog.logrange import Part
from replguard.engines.binlog.logstream import LogStream
from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from replguard.engines.base import LinkFilters, Wanted
    from replguard.engines.binlog.events import Flavour


class BinlogFiles:
    """The log files of one of the two."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour: Flavour = flavour

    def recognises(self, head: bytes) -> bool:
        """Whether a server of this flavour wrote a file that begins like this."""
        return loghead.flavour_of(head) == self._flavour

    def open(
        self, paths: Sequence[Path], wanted: Wanted = NAMES, since: str | None = None, until: str | None = None
    ) -> LogStream:
        """The files as one stream, in the order of their numbers where these tell it."""
        heads = logorder.ordered([loghead.read(path, self._flavour) for path in paths])
        try:
            part = Part.of([head.name for head in heads], self._flavour, since, until)
        except ValueError as error:
            raise UsageError(str(error), remedy="see `replguard scan --help`") from None
        return LogStream(self._flavour, heads, wanted, part)

    def filters(self, described: Mapping[str, Any]) -> LinkFilters:
        """Filters as a user writes them; an empty mapping lets everything through."""
        return filters.filters_from(described, self._flavour)
