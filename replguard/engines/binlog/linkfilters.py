"""The filters of a link together with the servers that can be asked more about them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from replguard.engines.binlog import optionplaces, restart, surroundings
from replguard.engines.binlog.filters import BinlogLinkFilters
from replguard.engines.binlog.server import BinlogServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replguard.engines.base import Server
    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.engines.binlog.surroundings import Surroundings
    from replguard.model.links import Link


def link_filters(
    raw: RawFilters,
    link: Link,
    target: BinlogServer,
    source: Server | None,
    startup: Callable[[], Mapping[str, str]] = dict,
) -> BinlogLinkFilters:
    """``raw`` as the target says it, where its option files can be read as these tell it better.

    ``startup`` reads the rules for all channels that the target was started with.
    """

    @cache
    def look() -> Surroundings:
        return surroundings.read(target, source if isinstance(source, BinlogServer) else None, startup())

    options = optionplaces.option_file(target)
    if options:
        known = surroundings.Surroundings(
            surroundings.Side(target.name, target.lower_case_table_names), options=options
        )
        raw = restart.restarted(raw, known, link.name).now
    return BinlogLinkFilters(raw, link.name, look)
