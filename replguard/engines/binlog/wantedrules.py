r"""The rules that make a link let through what it should, as a pure function of those that are set.

Forbidden tables are named by exact ignore-rules, in the catalog's spelling, and what may come later by wild ones, made
of the policy's globs. Rules of others are kept where they harm nothing. Where do-rules are set they stay in charge:
what may cross is added to them, so that whatever they kept out is kept out further. What cannot be said by rules is
refused, never half done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.engines.binlog import filterrules
from replguard.engines.binlog.filterrules import fold, rewritten, same, wild_matches
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.engines.controls import WantedFilter
    from replguard.model.tables import Table


@dataclass(slots=True)
class Choice:
    """The rules as they should be. ``notes`` tell what was changed of others' rules, ``refused`` why it cannot be."""

    raw: RawFilters
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def choose(raw: RawFilters, wanted: WantedFilter) -> Choice:
    """The rules nearest to ``raw`` with which the link lets through what is wanted."""
    choice = Choice(raw)
    if raw.unreadable:
        choice.refused.append(f"{'; '.join(raw.unreadable)} could not be read")
        return choice
    choice.refused += _unread(raw)
    _databases(choice, wanted)
    # Named before others are taken out: without any do-rule the link would be open to every database.
    _named(choice, wanted)
    _opened(choice, wanted)
    _closed(choice, wanted.forbidden)
    _as_before(choice, raw, wanted.local)
    _later(choice, wanted)
    if not choice.refused:
        choice.refused += _wrong(choice.raw, wanted)
    return choice


def escaped(name: str) -> str:
    r"""A name as a wild rule writes it.

    >>> escaped("dmz_zone%\\")
    'dmz\\_zone\\%\\\\'
    """
    return re.sub(r"([\\_%])", r"\\\1", name)


def _unread(raw: RawFilters) -> Iterator[str]:
    """A list is set as a whole, and of a name with a comma the server prints what nobody can take apart."""
    for kind in ("do_table", "ignore_table", "wild_do_table", "wild_ignore_table"):
        for rule in getattr(raw, kind):
            if "." not in rule:
                yield f"replicate_{kind} holds a name with a comma, near {rule!r}, which cannot be read exactly"


def _lands(raw: RawFilters, table: Table) -> TableName:
    return TableName(rewritten(raw, table.name.schema), table.name.name)


def _texts(raw: RawFilters, tables: Iterable[Table]) -> dict[str, TableName]:
    """Tables as rules name them: where their changes land."""
    found = (_lands(raw, table) for table in tables)
    return {f"{name.schema}.{name.name}": name for name in found}


def _add(choice: Choice, kind: str, rule: str) -> None:
    """One more rule. Lists are apart by commas, and blanks at either end are not kept."""
    if "," in rule or rule != rule.strip():
        why = "holds a comma" if "," in rule else "begins or ends with a blank"
        choice.refused.append(f"no rule can name {rule!r}: it {why}")
    elif rule not in getattr(choice.raw, kind):
        _put(choice, kind, (*getattr(choice.raw, kind), rule))


def _put(choice: Choice, kind: str, rules: tuple[str, ...]) -> None:
    choice.raw = replace(choice.raw, **{kind: rules})  # type: ignore[arg-type]


def _drop(choice: Choice, kind: str, rule: str, why: str) -> None:
    _put(choice, kind, tuple(one for one in getattr(choice.raw, kind) if one != rule))
    choice.notes.append(f"replicate_{kind} '{rule}' is taken out: {why}")


def _databases(choice: Choice, wanted: WantedFilter) -> None:
    """Let the database rules pass every database of a config table."""
    for schema in sorted({_lands(choice.raw, table).schema for table in wanted.config}):
        if filterrules.database_passes(choice.raw, schema).crosses is True:
            continue
        kind = "do_db" if choice.raw.do_db else "ignore_db"
        for rule in getattr(choice.raw, kind):
            if fold(rule) == fold(schema) and (rule != schema or kind == "ignore_db"):
                _drop(choice, kind, rule, f"it speaks of database '{schema}', which has tables that must cross")
        if kind == "do_db":
            _add(choice, kind, schema)
            choice.notes.append(f"replicate_do_db is set and did not name '{schema}': it is added")


def _opened(choice: Choice, wanted: WantedFilter) -> None:
    """Take out what stops a config table, or lets a forbidden one through, or is a forbidden one misspelled."""
    raw = choice.raw
    config, forbidden = _texts(raw, wanted.config), _texts(raw, wanted.forbidden)
    by_case = raw.case_sensitive
    for rule in raw.do_table:
        if not any(same(rule, name, case_sensitive=by_case) for name in forbidden):
            continue
        if (choice.raw.do_table, choice.raw.wild_do_table) == ((rule,), ()):
            choice.refused.append(f"replicate_do_table '{rule}' is the only do-rule: without it all would cross")
        else:
            _drop(choice, "do_table", rule, "the table must not sync")
    for rule in raw.ignore_table:
        if any(same(rule, name, case_sensitive=by_case) for name in config):
            _drop(choice, "ignore_table", rule, "the table must be identical")
        elif rule not in forbidden and rule not in config and by_case and fold(rule) in map(fold, forbidden):
            _drop(choice, "ignore_table", rule, "no table is spelled so, and this server compares by case")
    for rule in raw.wild_ignore_table:
        stopped = [name for name in config if wild_matches(rule, name, case_sensitive=by_case)]
        if stopped:
            _narrowed(choice, rule, stopped, list(config))


def _narrowed(choice: Choice, rule: str, stopped: list[str], config: list[str]) -> None:
    """A wild rule that stops config tables: with its ``_`` escaped where that was all, else gone."""
    database = re.split(r"(?<!\\)\.", rule, maxsplit=1)[0]
    if re.search(r"(?<!\\)[%_]", database):
        choice.refused.append(
            f"replicate_wild_ignore_table '{rule}' stops {stopped[0]}, and reaches other databases as well: narrow it"
        )
        return
    _drop(choice, "wild_ignore_table", rule, f"it stops {stopped[0]}, which must be identical")
    literal = re.sub(r"\\.|_", lambda match: r"\_" if match.group() == "_" else match.group(), rule, flags=re.DOTALL)
    by_case = choice.raw.case_sensitive
    if not any(wild_matches(literal, name, case_sensitive=by_case) for name in config):
        _add(choice, "wild_ignore_table", literal)


def _named(choice: Choice, wanted: WantedFilter) -> None:
    """Where do-rules decide, name every config table that none of them names."""
    for rule, name in _texts(choice.raw, wanted.config).items():
        if filterrules.tables_pass(choice.raw, (name,)).crosses is False and _has_do(choice.raw):
            _add(choice, "do_table", rule)


def _has_do(raw: RawFilters) -> bool:
    return bool(raw.do_table or raw.wild_do_table)


def _closed(choice: Choice, tables: Iterable[Table]) -> None:
    """Name every table that a table rule does not stop already; database rules alone would not do for statements."""
    for rule, name in _texts(choice.raw, tables).items():
        stopped = filterrules.tables_pass(choice.raw, (name,)).crosses is False
        if not stopped:
            _add(choice, "ignore_table", rule)


def _as_before(choice: Choice, before: RawFilters, local: Iterable[Table]) -> None:
    """Keep out what the policy leaves to the site and was kept out before."""
    kept_out = [table for table in local if filterrules.rows_pass(before, table.name).crosses is False]
    opened = [table for table in kept_out if filterrules.rows_pass(choice.raw, table.name).crosses is not False]
    _closed(choice, opened)


def _later(choice: Choice, wanted: WantedFilter) -> None:
    """Wild rules for forbidden tables that come later. Among do-rules these would never be asked."""
    if _has_do(choice.raw):
        return
    may_cross = [*_texts(choice.raw, wanted.config), *_texts(choice.raw, wanted.local)]
    by_case = choice.raw.case_sensitive
    for glob in wanted.globs:
        for rule in sorted(_wild(choice.raw, glob, wanted)):
            if not any(wild_matches(rule, name, case_sensitive=by_case) for name in may_cross):
                _add_wild(choice, rule)


def _add_wild(choice: Choice, rule: str) -> None:
    known = choice.raw.wild_ignore_table
    told = rule in known or (not choice.raw.case_sensitive and fold(rule) in map(fold, known))
    if not told and "," not in rule and rule == rule.strip():
        _add(choice, "wild_ignore_table", rule)


def _wild(raw: RawFilters, glob: str, wanted: WantedFilter) -> set[str]:
    """A glob as wild rules, one for each database and each spelling that existing tables have."""
    tables = [table.name for group in (wanted.forbidden, wanted.config, wanted.local) for table in group]
    found: set[str] = set()
    for schema in sorted({name.schema for name in tables}):
        for pattern in _of_tables(glob, schema):
            spelled = {text for name in tables if name.schema == schema and (text := _spelled(pattern, name.name))}
            later = None if pattern == glob and "." in glob else _spelled(pattern, pattern)
            found |= {f"{escaped(rewritten(raw, schema))}.{text}" for text in spelled or ({later} if later else ())}
    return {rule.lower() for rule in found} if raw.lower_case_table_names else found


def _of_tables(glob: str, schema: str) -> Iterator[str]:
    """The parts of a glob that speak of tables of this schema, of more than one each; no rule has sets of letters."""
    if "[" in glob:
        return
    dots = [place for place, letter in enumerate(glob) if letter == "."]
    parts = [glob, *(glob[dot + 1 :] for dot in dots if glob[:dot].casefold() == schema.casefold())]
    for part in parts:
        if re.search(r"[*?]", part) and part.strip("*?"):
            yield part


def _spelled(glob: str, name: str) -> str | None:
    r"""A glob as the table part of a wild rule, in the letters of a name that it fits.

    >>> _spelled("dmz_*", "DMZ_Edge"), _spelled("dmz_*", "event")
    ('DMZ\\_%', None)
    """
    parts = re.split(r"([*?])", glob)
    pattern = "".join({"*": "(.*)", "?": "(.)"}.get(part) or f"({re.escape(part)})" for part in parts)
    found = re.fullmatch(pattern, name, re.IGNORECASE | re.DOTALL)
    if not found:
        return None
    wild = {"*": "%", "?": "_"}
    return "".join(wild.get(part) or escaped(text) for part, text in zip(parts, found.groups(), strict=True))


def _wrong(raw: RawFilters, wanted: WantedFilter) -> Iterator[str]:
    """What the chosen rules would still do wrong, by the servers' own order of judging."""
    for table in wanted.forbidden:
        crossing = filterrules.rows_pass(raw, table.name)
        if crossing.crosses is not False:
            yield f"{table.name} must not sync, and no rule keeps it apart from the others: it {crossing.why}"
    for table in wanted.config:
        crossing = filterrules.rows_pass(raw, table.name)
        if crossing.crosses is not True:
            yield f"{table.name} must be identical, and no rule tells it from the others: it {crossing.why}"
