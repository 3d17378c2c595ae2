"""The policy's rules written down for other tools; nothing is changed.

What an engine says in its own words (option files, statements, publications) comes from the engine, for each link. What
other tools filter by is made here, from the policy and both catalogs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.audit.classes import no_table, unclassified
from replguard.control import exportpatterns, filterplan
from replguard.engines.controls import Exported, ExportsFilters
from replguard.errors import UsageError
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.audit.tables import TableMap
    from replguard.control.exportpatterns import Patterns
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

CHECK = "filter.export"
OF_LINKS = ("mycnf", "sql", "publication")
OF_TOOLS = ("debezium", "maxscale")
FORMS = (*OF_LINKS, *OF_TOOLS)
_COMMENT = {"mycnf": "#", "sql": "--", "publication": "--", "debezium": "#", "maxscale": "#"}


@dataclass(frozen=True, slots=True)
class Export:
    """The lines of one link, or of all where ``link`` is None; ``value`` is what a tool reads of them in the end."""

    link: str | None
    cluster: str | None
    lines: tuple[str, ...]
    value: str | None = None

    def data(self) -> dict[str, Any]:
        return {"link": self.link, "cluster": self.cluster, "lines": list(self.lines), "value": self.value}


@dataclass(frozen=True, slots=True)
class Made:
    check: Check
    exports: tuple[Export, ...] = ()


def make(pair: Pair, tables: TableMap, links: tuple[Link, ...], form: str) -> Made:
    """The rules in one of :data:`FORMS`. UsageError for a form that is none, or of another engine."""
    _known(pair, form)
    if against := [*unclassified(tables), *no_table(tables)]:
        return Made(Check(CHECK, "nothing was written", tuple(against)))
    if form in OF_TOOLS:
        return _tool(tables, form)
    if not links:
        missing = Finding(
            "link.missing",
            Severity.unknown,
            f"there is no link between the clusters, and {form} is written for one link each",
            remedy="set up replication first",
        )
        return Made(Check(CHECK, "nothing was written", (missing,)))
    found = {link: _of_link(pair, tables, link, form) for link in links}
    if refused := [_refused(why, link) for link, one in found.items() for why in one.refused]:
        return Made(Check(CHECK, "nothing was written", tuple(refused)))
    exports = tuple(Export(link.label, one.cluster, _told(form, link.label, one)) for link, one in found.items())
    return Made(Check(CHECK, f"{form} for {len(links)} link{'s' * (len(links) != 1)}"), exports)


def _known(pair: Pair, form: str) -> None:
    filters = pair.first.filters
    forms = filters.exports if isinstance(filters, ExportsFilters) else ()
    if form not in forms:
        raise UsageError(
            f"the filters of {pair.first.identity.engine} cannot be written as {form!r}",
            remedy=f"known for it are {', '.join(forms) or 'none'}",
        )


def _of_link(pair: Pair, tables: TableMap, link: Link, form: str) -> Exported:
    filters = pair.server(link.target).filters
    if not isinstance(filters, ExportsFilters):
        raise UsageError(f"the filters of {link.target} cannot be written as {form!r}")
    return filters.export(form, link, pair.server(str(link.source)), filterplan.wanted(tables, link))


def _told(form: str, label: str, one: Exported) -> tuple[str, ...]:
    sign = _COMMENT[form]
    return (*_comments(sign, f"{label}, for {one.cluster}", *one.notes), *(one.lines or (f"{sign} no rule is needed",)))


def _comments(sign: str, *texts: str) -> Iterator[str]:
    """As comments, whatever line breaks a name holds."""
    return (f"{sign} {line}" for text in texts for line in text.splitlines())


def _refused(why: str, link: Link | None = None) -> Finding:
    return Finding(
        "export.refused",
        Severity.fail,
        f"{link.label}: {why}" if link else why,
        cluster=link.target if link else None,
        link=link.label if link else None,
        remedy="rename the table, or filter it by another tool",
    )


def _tool(tables: TableMap, form: str) -> Made:
    globs = [rule.pattern for rule in tables.policy.rules if rule.table_class is TableClass.must_not_sync]
    sides = {
        kind: sorted({side.name for table in tables.of(kind) for side in table.sides.values()})
        for kind in (TableClass.must_not_sync, TableClass.config)
    }
    found = exportpatterns.patterns(globs, _schemas(tables), sides[TableClass.must_not_sync], sides[TableClass.config])
    if found.wrong:
        named = ", ".join(map(str, found.wrong))
        return Made(
            Check(CHECK, "nothing was written", (_refused(f"no pattern tells {named} from what must not sync"),))
        )
    notes = [
        f"{glob!r} stands for the tables that are there; one that comes later is not kept out" for glob in found.unsaid
    ]
    written = {"debezium": _debezium, "maxscale": _maxscale}[form](found)
    lines = (*_comments("#", *notes), *written.lines)
    return Made(Check(CHECK, f"{len(found.texts)} patterns for {form}"), (Export(None, None, lines, written.value),))


def _schemas(tables: TableMap) -> list[str]:
    """The schemas of the scope as they are spelled, as far as tables tell; else folded."""
    spelled = {side.name.schema for table in tables for side in table.sides.values()}
    folded = {schema.casefold() for schema in spelled}
    more = {schema for schemas in tables.schemas.values() for schema in schemas if schema not in folded}
    return sorted(spelled | more)


def _debezium(found: Patterns) -> Export:
    """A list, by commas, of expressions that match a whole name without regard to case; a line of a properties file,
    in which a backslash is doubled and what is not ASCII has a number.
    """
    value = ",".join(found.texts)
    escaped = value.replace("\\", "\\\\").encode("utf-16-be")
    units = [int.from_bytes(escaped[place : place + 2]) for place in range(0, len(escaped), 2)]
    text = "".join(chr(unit) if unit < 128 else f"\\u{unit:04X}" for unit in units)
    return Export(None, None, (f"table.exclude.list={text}",), value)


def _maxscale(found: Patterns) -> Export:
    """One expression, which is searched for in ``database.table``, so it is anchored."""
    joined = "|".join(found.texts)
    # Names travel as UTF-8: where a sign of more than one byte may stand, PCRE2 must be told.
    wide = not joined.isascii() or any("." in text.replace(".*", "").replace("[.]", "") for text in found.texts)
    value = f"{'(*UTF)' if wide else ''}(?i)^(?:{joined})$"
    heading = ("[replguard]", "type=filter", "module=binlogfilter")
    return Export(None, None, (*heading, f"exclude=/{value}/"), value)
