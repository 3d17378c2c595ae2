r"""The rules of MySQL's and MariaDB's replication filters, as a pure function of a name.

The order is the servers' own, written down from what they do (tests hold it against real servers). Row changes are
judged by the table's database, then by the table rules; statements by the ``USE`` database, then by the table rules
over every table that they update, in the order in which they stand there. What the rules are is read elsewhere
(:mod:`replguard.engines.binlog.rawfilters`); what follows from the answer is said elsewhere
(:mod:`replguard.engines.binlog.filters`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from replguard.model.links import Crossing
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replguard.engines.binlog.rawfilters import RawFilters


@dataclass(frozen=True, slots=True)
class Hit:
    """The rule that names something, ``kind`` as the option is called, and whether it lets it through."""

    kind: str
    text: str
    lets_through: bool

    def crossing(self) -> Crossing:
        return Crossing(self.lets_through, f"{'passes by' if self.lets_through else 'is stopped by'} {self}")

    def __str__(self) -> str:
        return f"{self.kind} '{self.text}'"


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A name as the servers' ``utf8_general_ci`` sees it: no case, no accents, one character for one.

    >>> fold("Évent_1%") == fold("EVENT_1%")
    True
    """
    return "".join(_folded(character) for character in text)


def _folded(character: str) -> str:
    if character == "ß":
        return "S"
    base = unicodedata.normalize("NFD", character)[0].upper()
    return base if len(base) == 1 else character


@lru_cache(maxsize=2048)
def _pattern(rule: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", rule, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def wild_matches(rule: str, name: str, *, case_sensitive: bool) -> bool:
    r"""Whether a wild rule matches ``database.table``: ``_`` is one character, ``%`` any number, ``\`` escapes.

    >>> wild_matches("st.dmz_zone", "st.dmzxzone", case_sensitive=True)
    True
    >>> wild_matches("st.dmz\\_%", "st.dmzxzone", case_sensitive=True)
    False
    >>> wild_matches("st.DMZ\\_%", "st.dmz_zone", case_sensitive=False)
    True
    """
    if case_sensitive:
        return bool(_pattern(rule).fullmatch(name))
    return bool(_pattern(fold(rule)).fullmatch(fold(name)))


def same(rule: str, name: str, *, case_sensitive: bool) -> bool:
    """Whether an exact rule is this name.

    Without case MariaDB looks names up by hash, which compares lengths in bytes first: an accent is another name.

    >>> same("st.EVENT", "st.event", case_sensitive=False), same("st.event", "st.évent", case_sensitive=False)
    (True, False)
    """
    if case_sensitive:
        return rule == name
    return len(rule.encode()) == len(name.encode()) and fold(rule) == fold(name)


def rewritten(raw: RawFilters, database: str) -> str:
    """The database that the target takes for ``database``: rewriting comes before every other rule."""
    return next((to for source, to in raw.rewrite_db if source == database), database)


def database_passes(raw: RawFilters, database: str | None) -> Crossing:
    """What the database rules of the target say; a statement without a ``USE`` database always passes."""
    return _databases(raw, database or "", (raw.do_db, "replicate_do_db"), (raw.ignore_db, "replicate_ignore_db"))


def logged_at_source(raw: RawFilters, database: str | None) -> Crossing:
    """What the source's own rules for its binlog say."""
    do, ignore = raw.source_binlog_do_db, raw.source_binlog_ignore_db
    return _databases(raw, database, (do, "binlog_do_db"), (ignore, "binlog_ignore_db"))


def _databases(
    raw: RawFilters, database: str | None, do: tuple[Sequence[str], str], ignore: tuple[Sequence[str], str]
) -> Crossing:
    """A do-rule decides alone: where one is set, ignore-rules are not looked at."""
    if database is None or not (do[0] or ignore[0]):
        return Crossing(True, "passes: no database rule speaks of it")  # noqa: FBT003
    (rules, kind), wanted = (do, True) if do[0] else (ignore, False)
    if raw.lower_case_table_names and database not in rules and fold(database) in map(fold, rules):
        return Crossing(None, f"cannot be judged: {kind} names database '{database}' in another case")
    if database in rules:
        return Hit(kind, database, wanted).crossing()
    if wanted:
        return Crossing(False, f"is stopped: {kind} is set and does not name database '{database}'")  # noqa: FBT003
    return Crossing(True, f"passes: {kind} does not name database '{database}'")  # noqa: FBT003


def has_table_rules(raw: RawFilters) -> bool:
    return bool(raw.do_table or raw.ignore_table or raw.wild_do_table or raw.wild_ignore_table)


def table_hit(raw: RawFilters, table: TableName) -> Hit | None:
    """The first table rule that names the table, in the servers' order: do, ignore, wild do, wild ignore."""
    name, exact_case = f"{table.schema}.{table.name}", raw.case_sensitive
    for kind, rules, lets_through in (
        ("replicate_do_table", raw.do_table, True),
        ("replicate_ignore_table", raw.ignore_table, False),
    ):
        for rule in rules:
            if same(rule, name, case_sensitive=exact_case):
                return Hit(kind, rule, lets_through)
    return wild_hit(raw, name)


def wild_hit(raw: RawFilters, name: str) -> Hit | None:
    for kind, rules, lets_through in (
        ("replicate_wild_do_table", raw.wild_do_table, True),
        ("replicate_wild_ignore_table", raw.wild_ignore_table, False),
    ):
        for rule in rules:
            if wild_matches(rule, name, case_sensitive=raw.case_sensitive):
                return Hit(kind, rule, lets_through)
    return None


def tables_pass(raw: RawFilters, tables: Iterable[TableName]) -> Crossing:
    """What the table rules say of a statement that updates ``tables``: the first that any rule names decides all."""
    if not has_table_rules(raw):
        return Crossing(True, "passes: the link has no table rule")  # noqa: FBT003
    for table in tables:
        hit = table_hit(raw, table)
        if hit:
            return hit.crossing()
    if raw.do_table or raw.wild_do_table:
        kinds = [kind for kind in ("do_table", "wild_do_table") if getattr(raw, kind)]
        rules = " and ".join(f"replicate_{kind}" for kind in kinds)
        return Crossing(False, f"is stopped: {rules} is set and does not name it")  # noqa: FBT003
    return Crossing(True, "passes: no table rule of the link names it")  # noqa: FBT003


def database_statement_passes(raw: RawFilters, database: str) -> Crossing:
    """CREATE, ALTER and DROP DATABASE: by the database rules, and by the wild rules over ``database.``."""
    first = database_passes(raw, database)
    if first.crosses is not True:
        return first
    hit = wild_hit(raw, f"{database}.")
    if hit:
        return hit.crossing()
    if raw.wild_do_table:
        return Crossing(False, "is stopped: replicate_wild_do_table is set and does not name it")  # noqa: FBT003
    return first


def rows_pass(raw: RawFilters, table: TableName) -> Crossing:
    """Whether the target applies row changes of the table: database rules, then table rules, both after rewriting."""
    landing = TableName(rewritten(raw, table.schema), table.name)
    by_database = database_passes(raw, landing.schema)
    if by_database.crosses is False:
        return by_database
    by_table = tables_pass(raw, (landing,))
    if by_table.crosses is False:
        return by_table
    if by_database.crosses is None or not has_table_rules(raw):
        return by_database
    return by_table
