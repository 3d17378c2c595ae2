"""The filters of one MySQL channel or MariaDB connection, as the servers say them: raw rules, judged elsewhere.

Who reads them is the engine's own ``filters.py``; who judges by them is :mod:`replguard.engines.binlog.filters`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RawFilters:
    """Every rule that decides whether an event of a link is applied, as it is set now.

    The rules are those of the target, but for ``source_binlog_do_db`` and ``source_binlog_ignore_db``, which keep
    changes out of the source's binlog. Table rules are ``database.table`` as the server prints them, wild rules with
    their escapes. ``rewrite_db`` holds pairs (from, to). ``case_sensitive`` says whether this server compares table and
    wild rules by exact case. ``source_binlog_known`` is false where the source could not be asked.
    ``unreadable`` names, in words, what could not be read: then no rule is proof of anything.
    """

    do_db: tuple[str, ...] = ()
    ignore_db: tuple[str, ...] = ()
    do_table: tuple[str, ...] = ()
    ignore_table: tuple[str, ...] = ()
    wild_do_table: tuple[str, ...] = ()
    wild_ignore_table: tuple[str, ...] = ()
    rewrite_db: tuple[tuple[str, str], ...] = ()
    ignore_server_ids: frozenset[int] = frozenset()
    do_domain_ids: frozenset[int] = frozenset()
    ignore_domain_ids: frozenset[int] = frozenset()
    lower_case_table_names: int = 0
    target_server_id: int = 0
    replicate_same_server_id: bool = False
    case_sensitive: bool = False
    source_binlog_do_db: tuple[str, ...] = ()
    source_binlog_ignore_db: tuple[str, ...] = ()
    source_binlog_known: bool = False
    unreadable: tuple[str, ...] = ()
    configured_by: Mapping[str, str] = field(default_factory=dict)
    """Per rule type (``REPLICATE_IGNORE_TABLE``) how it was set, where the server tells (MySQL: STARTUP_OPTIONS,
    CHANGE_REPLICATION_FILTER, ..._FOR_CHANNEL): what was set at run time is lost at restart."""
