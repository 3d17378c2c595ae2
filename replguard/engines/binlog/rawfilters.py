"""The filters of one MySQL channel or MariaDB connection, as the servers say them: raw rules, judged elsewhere.

Who reads them is the engine's own ``filters.py``; who judges by them is :mod:`replguard.engines.binlog.filters`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.base import Server


SOMEWHERE = "SET GLOBAL, for this connection or another"
"""How MariaDB's rules were set where there are several connections: it does not tell for which."""


@dataclass(frozen=True, slots=True)
class RawFilters:
    """Every rule that decides whether an event of a link is applied, as it is set now.

    The rules are those of the target, but for ``source_binlog_do_db`` and ``source_binlog_ignore_db``, which keep
    changes out of the source's binlog. Table rules are ``database.table`` as the server prints them, wild rules with
    their escapes. ``rewrite_db`` holds pairs (from, to). ``case_sensitive`` says whether this server compares table and
    wild rules by exact case. ``source_binlog_known`` is false where the source could not be asked.
    ``source_server_id`` and ``source_domain_id`` are those under which the source logs what is written on it.
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
    source_server_id: int | None = None
    source_domain_id: int | None = None
    replicate_same_server_id: bool = False
    case_sensitive: bool = False
    source_binlog_do_db: tuple[str, ...] = ()
    source_binlog_ignore_db: tuple[str, ...] = ()
    source_binlog_known: bool = False
    unreadable: tuple[str, ...] = ()
    configured_by: Mapping[str, str] = field(default_factory=dict)
    """Per rule type (``REPLICATE_IGNORE_TABLE``) how it was set, where the server tells (MySQL: STARTUP_OPTIONS,
    CHANGE_REPLICATION_FILTER, ..._FOR_CHANNEL): what was set at run time is lost at restart."""


def names(text: str | None) -> tuple[str, ...]:
    """A list as SHOW REPLICA STATUS prints it.

    >>> names("st.Event,st.DMZ"), names(""), names(None)
    (('st.Event', 'st.DMZ'), (), ())
    """
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def ids(text: str | None) -> frozenset[int]:
    """A list of numbers, separated by commas or blanks.

    >>> sorted(ids("1, 2")), sorted(ids(""))
    ([1, 2], [])
    """
    return frozenset(int(part) for part in (text or "").replace(",", " ").split())


def pairs(text: str | None) -> tuple[tuple[str, str], ...]:
    """Databases and what they are rewritten to: MySQL prints ``(a,b),(c,d)``, MariaDB ``a->b,c->d``.

    >>> pairs("(a,b),(c,d)") == pairs("a->b,c->d") == (("a", "b"), ("c", "d"))
    True
    """
    found = re.findall(r"\(([^,()]+),([^()]+)\)|([^,]+?)->([^,]+)", text or "")
    return tuple(((a or c).strip(), (b or d).strip()) for a, b, c, d in found)


def source_ids(source: Server | None) -> tuple[int | None, int | None]:
    """The server id and the GTID domain (MariaDB's alone) under which the source logs what is written on it."""
    detail = source.identity.detail if source else {}
    return detail.get("server_id"), detail.get("gtid_domain_id")


def source_rules(source: Server | None) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What the source keeps out of its binlog (do, ignore), and whether there was a source to be asked.

    PrivilegeError, with its GRANT, where the user may not see it: without it no table could be judged to cross.
    """
    from replguard.engines.binlog.server import BinlogServer  # noqa: PLC0415 - the server knows this module

    if not isinstance(source, BinlogServer):
        return (), (), False
    rows = source.run("source_status")
    if not rows:
        return (), (), False
    return names(rows[0]["Binlog_Do_DB"]), names(rows[0]["Binlog_Ignore_DB"]), True
