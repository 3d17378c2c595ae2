"""A file of statements that put right what a comparison called drift: to be read, and run by hand or not at all.

Only rows that fail the comparison are repaired: not what is expected to differ, not what is on its way or undecided.
What the statements are is the engine's business, their order that of :mod:`replguard.diff.repairorder`.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from replguard.audit.links import between
from replguard.diff.repairorder import Relations, ordered
from replguard.errors import ServerError, Unsupported, UsageError
from replguard.model.findings import Check, Finding, Severity
from replguard.model.repairs import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.audit.tables import TableMap
    from replguard.diff.result import Identity, TableResult
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.repairs import Frame
    from replguard.model.tables import ForeignKey, Table, TableName

    Drift = Sequence[tuple[TableResult, Sequence[Identity]]]

CHECK = "diff.repair"


@dataclass(frozen=True, slots=True)
class Request:
    """Where to write statements, and which cluster they change; by default the second of the config."""

    path: Path
    cluster: str | None = None

    def check(self) -> None:
        """UsageError where no file can be written there: known before anything is compared."""
        if not os.access(self.path.parent, os.W_OK | os.X_OK) or self.path.is_dir():
            raise UsageError(f"no file can be written to {self.path}", remedy="name a file in a folder that exists")

    def changed(self, clusters: tuple[str, str]) -> str:
        """The cluster to be changed. UsageError for a name that is none."""
        name = self.cluster or clusters[1]
        if name not in clusters:
            raise UsageError(f"there is no cluster {name!r} to repair", remedy=f"name {' or '.join(clusters)}")
        return name

    def write(self, pair: Pair, tables: TableMap, links: tuple[Link, ...], drift: Drift) -> Check:
        """Write the file; see :func:`write_repair`."""
        return write_repair(pair, tables, links, drift, self)


@dataclass(slots=True)
class _Script:
    """What becomes of the differences: statements with the steps they stand for, and words about the others."""

    parts: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    circles: bool = False


def write_repair(pair: Pair, tables: TableMap, links: tuple[Link, ...], drift: Drift, request: Request) -> Check:
    """Write the file, and say in a check what stands in it.

    UsageError where the file cannot be written, ServerError where the servers must be asked more and cannot be.
    """
    name = request.changed(tables.clusters)
    server, other = pair.server(name), pair.other(name)
    script = _Script()
    steps: list[Step] = []
    for result, identities in drift:
        if tables.policy.natural_key(result.table.name):
            script.left.append(
                f"{result.table.name} is paired by its natural key: each cluster numbers its rows itself"
            )
        else:
            steps += _steps(result, identities, server, other, script)
    keys = [key for table in tables.on(name).values() for key in table.foreign_keys]
    uniques = server.repairs.uniques([step.table.name for step in steps])
    for group in ordered(steps, Relations(keys, uniques)):
        _write(server, group, keys, script)
    # A link whose source is not known may be one of the two clusters'.
    ours = (*between(links, tables.clusters), *(link for link in links if link.source is None))
    carrying = _carrying(script.steps, ours, server, other)
    frame = server.repairs.frame(script.steps, ours, carrying, circles=script.circles)
    notes = [*_heading(name, other.name, script), *frame.notes, *_cascades(script.steps, tables.on(name))]
    _store(request.path, _text(notes, frame, script))
    return _told(request.path, name, script)


def _steps(
    result: TableResult, identities: Iterable[Identity], server: Server, other: Server, script: _Script
) -> Iterator[Step]:
    """One step for each difference, by the names of the side that is changed."""
    table, theirs = result.table.sides[server.name], result.table.sides[other.name]
    columns, other_columns = _columns(result, table), _columns(result, theirs)
    if result.total > result.listed:
        script.left.append(f"{result.total - result.listed} more rows of {table.name} differ, which were not listed")
    kept = 0
    left_is_changed = server.name == next(iter(result.table.sides))
    for identity in identities:
        found = result.differences[identity]
        before, after = (found.left, found.right) if left_is_changed else (found.right, found.left)
        if before is None and after is None:
            kept += 1
            continue
        kind = _KINDS[before is not None, after is not None]
        width = result.width if isinstance(identity, tuple) else 0
        step = Step(kind, table, columns, width, before, after, found.count)
        counted = step if width else _counted(step, server, other, theirs, other_columns)
        if counted is None:
            script.left.append(f"a row of {table.name}, which has no key, stands another number of times by now")
        else:
            yield counted
    if kept:
        script.left.append(f"{kept} more rows of {table.name} differ, whose values were not kept")


_KINDS: dict[tuple[bool, bool], Literal["insert", "update", "delete"]] = {
    (True, True): "update",
    (True, False): "delete",
    (False, True): "insert",
}


def _columns(result: TableResult, table: Table) -> tuple[str, ...]:
    """The columns that were compared, as this side spells them."""
    names = {result.table.fold(column.name): column.name for column in table.columns}
    return tuple(names[result.table.fold(name)] for name in result.columns)


def _counted(step: Step, server: Server, other: Server, theirs: Table, columns: tuple[str, ...]) -> Step | None:
    """The step with how often its row is there before; None where the step would not make both sides equal."""
    row = step.after or step.before or ()
    standing = server.repairs.count(step.table, step.columns, row)
    wanted = standing + step.times if step.kind == "insert" else standing - step.times
    if other.repairs.count(theirs, columns, row) != wanted:
        return None
    return replace(step, standing=standing)


def _write(server: Server, group: tuple[Step, ...], keys: Sequence[ForeignKey], script: _Script) -> None:
    """The text of a group. What cannot be written exactly is left, and with it the whole group."""
    try:
        text = server.repairs.write(group, keys)
    except Unsupported as error:
        script.left += [f"a row of {step.table.name}: {error.message}" for step in group]
        return
    script.circles = script.circles or len(group) > 1
    headings = dict.fromkeys(f"{step.kind} {step.table.name}" for step in group)
    script.parts.append(f"\n-- {_line(', '.join(headings))}\n{text}")
    script.steps += group


def _carrying(steps: Sequence[Step], links: tuple[Link, ...], server: Server, other: Server) -> tuple[Link, ...]:
    """The links that would carry one of these changes to the other cluster, as far as is known."""
    tables = {step.table.name: step.table for step in steps}.values()
    unknown = [link for link in links if link.source is None and link.target == other.name and steps]
    known = [link for link in links if link.source == server.name and _carries(link, tables, server, other)]
    return (*known, *unknown)


def _carries(link: Link, tables: Iterable[Table], server: Server, other: Server) -> bool:
    try:
        filters = other.filters.of(link, server)
        return any(filters.crosses(table).crosses is not False for table in tables)
    except ServerError:
        return True


def _cascades(steps: Sequence[Step], tables: Mapping[TableName, Table]) -> Iterator[str]:
    """Foreign keys that take or change rows of other tables with those that are taken out."""
    removed = {step.table.name for step in steps if step.kind == "delete"}
    for table in tables.values():
        for key in table.foreign_keys:
            if key.parent in removed and key.on_delete in ("CASCADE", "SET NULL", "SET DEFAULT"):
                yield (
                    f"Rows taken out of {key.parent} take rows of {table.name} that refer to them along "
                    f"(ON DELETE {key.on_delete} of {key.name})"
                )


def _heading(name: str, right: str, script: _Script) -> Iterator[str]:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    yield f"Written by replguard at {when}: makes rows of {name} what they are on {right}. Nothing was run."
    yield f"Run it on {name} with the server's own client, after reading it. All of it is done, or nothing."
    yield "It holds rows as they are: keep it as you keep the data."
    yield f"{len(script.steps)} rows are repaired."
    if script.left:
        yield "NOT repaired, so compare again afterwards and make a new file:"
        yield from (f"  {line}" for line in script.left)


def _text(notes: Sequence[str], frame: Frame, script: _Script) -> str:
    head = "".join(f"-- {_line(note)}\n" for note in notes)
    if not script.steps:
        return head
    return f"{head}\n{frame.head}\n" + "\n".join(script.parts) + f"\n\n{frame.foot}\n"


def _line(text: str) -> str:
    """Text that cannot end the comment in which it stands."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _store(path: Path, text: str) -> None:
    """Readable for its owner alone, and whole or not there."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"the repairs cannot be written to {path}: {error.strerror}") from None


def _told(path: Path, name: str, script: _Script) -> Check:
    written = Finding(
        "repair.written",
        Severity.info,
        f"statements for {len(script.steps)} rows of {name} were written",
        cluster=name,
        evidence={"file": str(path), "rows": len(script.steps)},
    )
    left = [
        Finding("repair.incomplete", Severity.warn, f"not repaired: {line}", cluster=name, remedy=_AGAIN)
        for line in script.left
    ]
    return Check(CHECK, f"{len(script.steps)} rows of {name} can be repaired by {path}", (written, *left))


_AGAIN = "run the repairs, compare again with --repair-sql, and repair the rest by hand"
