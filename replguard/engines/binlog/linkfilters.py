"""The filters of a link together with the servers that can be asked more about them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from replguard.engines.binlog import fragility, optionplaces, restart, surroundings
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

    return BinlogLinkFilters(told_apart(raw, link, target), link.name, look)


def told_apart(raw: RawFilters, link: Link, target: BinlogServer) -> RawFilters:
    """The rules as the target's option files hold them, where these can be read.

    What the server prints as two rules may be one name with a comma.
    """
    options = optionplaces.option_file(target)
    if not options:
        return raw
    known = surroundings.Surroundings(surroundings.Side(target.name, target.lower_case_table_names), options=options)
    return restart.restarted(raw, known, link.name).now


def settable(raw: RawFilters, link: Link, target: BinlogServer) -> RawFilters:
    """The rules without such names: these keep nothing apart, and no statement sets them again."""
    found = told_apart(raw, link, target)
    kept = {kind: tuple(rule for rule in getattr(found, kind) if "," not in rule) for kind in fragility.RULES}
    return restart.with_rules(found, kept)
