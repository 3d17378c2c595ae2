r"""What is fragile about a link's filters: what holds today and need not hold tomorrow. Pure.

Wildcards that nobody meant, rules that name nothing or too much, rules that judge by the ``USE`` database, do and
ignore mixed, tables that come later, changes that are logged as statements, and servers that spell names differently.
What is lost at a restart is told in :mod:`replguard.engines.binlog.restart`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.binlog.filterrules import same, wild_matches
from replguard.engines.binlog.surroundings import MissingGrant
from replguard.model.links import Fragility

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.engines.binlog.surroundings import Surroundings
    from replguard.model.tables import TableName

DATABASE_RULES = ("do_db", "ignore_db")
TABLE_RULES = ("do_table", "ignore_table", "wild_do_table", "wild_ignore_table")
RULES = DATABASE_RULES + TABLE_RULES
_SYSTEM = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
_SHOWN = 5


def of(raw: RawFilters, tables: Sequence[TableName], around: Surroundings) -> tuple[Fragility, ...]:
    """All of it, in a steady order; ``tables`` are those of the audited databases."""
    return (
        *_database_level(raw),
        *_mixed(raw),
        *_by_rule(raw, tables),
        *_later_tables(raw),
        *_statements(around),
        *_spelling(around),
    )


def _database_level(raw: RawFilters) -> Iterator[Fragility]:
    for kind in DATABASE_RULES:
        if getattr(raw, kind):
            yield Fragility(
                f"replicate_{kind} judges DDL and statements by the USE database, not by the tables they change",
                "use table rules, such as replicate_wild_ignore_table 'database.%'",
                rule=f"replicate_{kind}",
            )
    if raw.source_binlog_do_db or raw.source_binlog_ignore_db:
        yield Fragility(
            "the source's binlog_do_db or binlog_ignore_db keeps changes out of its binlog, for every use of it",
            "filter at the target, so that the source's binlog stays complete",
            rule="binlog_do_db" if raw.source_binlog_do_db else "binlog_ignore_db",
        )


def _mixed(raw: RawFilters) -> Iterator[Fragility]:
    for do, ignore in (
        (("do_db",), ("ignore_db",)),
        (("do_table", "wild_do_table"), ("ignore_table", "wild_ignore_table")),
    ):
        both = [kind for kind in (*do, *ignore) if getattr(raw, kind)]
        if set(both) & set(do) and set(both) & set(ignore):
            names = " and ".join(f"replicate_{kind}" for kind in both)
            message = f"{names} are mixed: the first rule that matches decides, in an order that few expect"
            yield Fragility(message, "keep to ignore rules alone, or to do rules alone", rule=f"replicate_{both[0]}")


def _by_rule(raw: RawFilters, tables: Sequence[TableName]) -> Iterator[Fragility]:
    for kind in TABLE_RULES:
        for rule in getattr(raw, kind):
            yield from _matches_nothing(raw, kind, rule, tables)
            if kind.startswith("wild"):
                yield from _unescaped(raw, kind, rule, tables)
                yield from _any_database(kind, rule)


def _matched(kind: str, rule: str, tables: Sequence[TableName], *, exact: bool) -> list[TableName]:
    matches = wild_matches if kind.startswith("wild") else same
    return [table for table in tables if matches(rule, f"{table.schema}.{table.name}", case_sensitive=exact)]


def _matches_nothing(raw: RawFilters, kind: str, rule: str, tables: Sequence[TableName]) -> Iterator[Fragility]:
    database = rule.partition(".")[0].replace("\\", "")
    if database.lower() in _SYSTEM or _matched(kind, rule, _landing(raw, tables), exact=raw.case_sensitive):
        return
    named = f"replicate_{kind} '{rule}'"
    in_other_case = _matched(kind, rule, _landing(raw, tables), exact=False)
    if in_other_case:
        yield Fragility(
            f"{named} matches no table: this server compares by case, and the table is called {in_other_case[0]}",
            "write the name as the catalog spells it",
            rule=rule,
            table=in_other_case[0].name,
            schema=in_other_case[0].schema,
        )
    else:
        yield Fragility(f"{named} matches no table", "mend the name or remove the rule", rule=rule)


def _landing(raw: RawFilters, tables: Sequence[TableName]) -> list[TableName]:
    rewrite = dict(raw.rewrite_db)
    return [type(table)(rewrite.get(table.schema, table.schema), table.name) for table in tables]


def _unescaped(raw: RawFilters, kind: str, rule: str, tables: Sequence[TableName]) -> Iterator[Fragility]:
    escaped = re.sub(r"\\.|_", lambda match: r"\_" if match.group() == "_" else match.group(), rule, flags=re.DOTALL)
    if escaped == rule:
        return
    landing = _landing(raw, tables)
    meant = _matched(kind, escaped, landing, exact=raw.case_sensitive)
    others = [str(table) for table in _matched(kind, rule, landing, exact=raw.case_sensitive) if table not in meant]
    also = f" and catches {', '.join(others[:_SHOWN])}" if others else ""
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    message = f"in replicate_{kind} '{rule}' an unescaped _ stands for any character{also}{more}"
    yield Fragility(message, f"write '{escaped}'", rule=rule)


def _any_database(kind: str, rule: str) -> Iterator[Fragility]:
    """A wildcard that anything follows, before the dot, reaches into databases that nobody audits."""
    database = re.sub(r"\\.", "", rule.partition(".")[0])
    if "%" in database:
        message = f"replicate_{kind} '{rule}' matches too much: it speaks of every database that fits before the dot"
        yield Fragility(message, "name the database in full, with one rule for each", rule=rule)


def caught(raw: RawFilters, tables: Sequence[TableName]) -> Mapping[str, Sequence[TableName]]:
    """The tables that each pattern catches, as the target would be told of them."""
    landing = dict(zip(tables, _landing(raw, tables), strict=True))
    return {
        f"replicate_{kind} '{rule}'": [
            table for table in tables if _matched(kind, rule, [landing[table]], exact=raw.case_sensitive)
        ]
        for kind in TABLE_RULES
        if kind.startswith("wild")
        for rule in getattr(raw, kind)
    }


def _statements(around: Surroundings) -> Iterator[Fragility]:
    """What is logged as a statement is judged by the names in its text and by its ``USE`` database."""
    source = around.source
    if source and source.binlog_format not in {"ROW", ""}:
        message = f"binlog_format of {source.name} is {source.binlog_format}: a change that travels as a statement is "
        message += "judged by the names in its text, not by the tables that it writes"
        yield Fragility(message, f"set binlog_format = ROW on {source.name}, for all sessions", rule="binlog_format")
    if source is None:
        return
    found = around.sessions
    if isinstance(found, MissingGrant):
        message = f"whether sessions on {source.name} log statements is not known: this user may not see their settings"
        yield Fragility(message, found.remedy, rule="binlog_format")
    elif found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        message = f"sessions on {source.name} log statements whatever binlog_format is for others: "
        message += ", ".join(found[:_SHOWN]) + more
        yield Fragility(message, "let them set binlog_format = ROW, or connect again", rule="binlog_format")


def _spelling(around: Surroundings) -> Iterator[Fragility]:
    source, target = around.source, around.target
    if source and source.lower_case_table_names != target.lower_case_table_names:
        yield Fragility(
            f"lower_case_table_names is {source.lower_case_table_names} on {source.name} and "
            f"{target.lower_case_table_names} on {target.name}: names that differ in case alone may be one table on "
            "one of them, and rules are compared differently",
            "let both clusters have the same lower_case_table_names; it can only be chosen when a server is made",
            rule="lower_case_table_names",
        )


def _later_tables(raw: RawFilters) -> Iterator[Fragility]:
    if raw.do_table or raw.wild_do_table:
        message = "a table that is made later does not cross until a rule names it"
        yield Fragility(message, "add a rule before a new configuration table is made")
    elif raw.ignore_table or raw.wild_ignore_table:
        message = "a table that is made later crosses unless a rule names it"
        yield Fragility(message, "run the audit after every change of the application's schema")
