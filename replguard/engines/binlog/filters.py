"""What the filters of a MySQL channel or MariaDB connection let through: rules in, answers with their reasons out.

Pure: the rules were read by the engine. Triggers and foreign keys that act behind the filters' back are judged by the
audit, from the catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.engines.audits import AfterRestart
from replguard.engines.binlog import filterfile, filterrules, fragility, restart, updates
from replguard.engines.binlog.statements import named
from replguard.engines.binlog.surroundings import Side, Surroundings
from replguard.engines.binlog.tokens import Mode
from replguard.model.changes import Operation
from replguard.model.links import Crossing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from replguard.engines.base import LinkFilters
    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.model.changes import Change
    from replguard.model.links import Fragility
    from replguard.model.tables import Table, TableName

_UNTOLD = Crossing(None, "cannot be judged: which of the names in the statement it updates is not known")
_ROW_CHANGES = frozenset({Operation.insert, Operation.update, Operation.delete})


def filters_from(described: Mapping[str, Any], engine: str) -> LinkFilters:
    """The filters that :meth:`BinlogLinkFilters.describe` told, or that a user wrote in the same words.

    ``engine`` (``mysql``, ``mariadb``) decides whether rules go by exact case where the mapping does not tell.
    ValueError names a key or value that is none.
    """
    return BinlogLinkFilters(filterfile.parsed(described, by_case=engine == "mysql"))


def _nothing_known() -> Surroundings:
    return Surroundings(Side("the target", 0))


@dataclass(frozen=True, slots=True)
class BinlogLinkFilters:
    """Fulfils ``base.LinkFilters`` for one link, and of ``audits`` what becomes of them at a restart.

    ``look`` asks the servers for what only an audit wants to know; ``channel`` is the link's name.
    """

    raw: RawFilters
    channel: str = ""
    look: Callable[[], Surroundings] = _nothing_known

    def crosses(self, table: Table) -> Crossing:
        """Whether row changes to the table would be logged at the source and applied at the target."""
        found = self._judged(self._rows(table.name))
        if found.crosses is False and (other := self._rewritten_into(table.name)):
            return other
        stopped = self._source_stopped()
        if found.crosses is not True or not stopped:
            return found
        return Crossing(True, f"{found.why}; but {stopped}, so that only changes of other servers cross", partial=True)  # noqa: FBT003

    def applies(self, change: Change) -> Crossing:
        """Whether the target would apply this change, which stands in the source's stream already."""
        if self.raw.unreadable:
            return self._judged(Crossing(True, ""))  # noqa: FBT003
        by_origin = self._by_origin(change)
        if by_origin:
            return by_origin
        if change.operation in _ROW_CHANGES:
            return filterrules.rows_pass(self.raw, change.tables[0])
        return self._statement(change)

    def lands(self, name: TableName) -> TableName:
        """The same table, but for replicate_rewrite_db."""
        return replace(name, schema=filterrules.rewritten(self.raw, name.schema))

    def fragile(self, tables: Sequence[Table]) -> tuple[Fragility, ...]:
        return fragility.of(self.raw, [table.name for table in tables], self.look())

    def matched(self, tables: Sequence[Table]) -> Mapping[str, Sequence[TableName]]:
        """What each pattern of the target catches."""
        return fragility.caught(self.raw, [table.name for table in tables])

    def after_restart(self) -> AfterRestart:
        around = self.look()
        found = restart.restarted(self.raw, around, self.channel)
        read = around.options.files if around.options else ()
        return AfterRestart(BinlogLinkFilters(found.raw, self.channel), found.changes, found.unknown, read)

    def describe(self) -> Mapping[str, Any]:
        """The rules that are set, by the names of their options, and what else decides."""
        return filterfile.described(self.raw)

    def _judged(self, crossing: Crossing) -> Crossing:
        """What could not be read may hold any rule, so that nothing is known then."""
        if self.raw.unreadable:
            return Crossing(None, f"cannot be judged: {'; '.join(self.raw.unreadable)} could not be read")
        return crossing

    def _rows(self, table: TableName) -> Crossing:
        at_target = filterrules.rows_pass(self.raw, table)
        if at_target.crosses is False:
            return at_target
        at_source = filterrules.logged_at_source(self.raw, table.schema)
        if at_source.crosses is not True:
            return at_source
        if not self.raw.source_binlog_known and at_target.crosses:
            return Crossing(None, f"{at_target.why}; whether the source logs it could not be read")
        return at_target

    def _rewritten_into(self, table: TableName) -> Crossing | None:
        """What may land on the table although its own changes do not: those of a namesake in a rewritten database."""
        rewritten = [source for source, to in self.raw.rewrite_db if to == table.schema and source != table.schema]
        if not rewritten or filterrules.rows_pass(replace(self.raw, rewrite_db=()), table).crosses is False:
            return None
        return Crossing(None, f"{rewritten[0]}.{table.name} would be rewritten into it by replicate_rewrite_db")

    def _source_stopped(self) -> str | None:
        """The rule by which everything is dropped that is written on the source itself, whatever it changes."""
        raw, server_id, domain = self.raw, self.raw.source_server_id, self.raw.source_domain_id
        if server_id in raw.ignore_server_ids:
            return f"IGNORE_SERVER_IDS names the source's own server_id {server_id}"
        if server_id and server_id == raw.target_server_id and not raw.replicate_same_server_id:
            return f"source and target have the same server_id {server_id}"
        if domain in raw.ignore_domain_ids:
            return f"IGNORE_DOMAIN_IDS names the source's own domain {domain}"
        if domain is not None and raw.do_domain_ids and domain not in raw.do_domain_ids:
            return f"DO_DOMAIN_IDS does not name the source's own domain {domain}"
        return None

    def _by_origin(self, change: Change) -> Crossing | None:
        """What is dropped for where it was written, whatever it changes."""
        raw, server_id, domain = self.raw, change.detail.get("server_id"), change.detail.get("domain_id")
        if change.detail.get("skip_replication"):
            return Crossing(None, "is marked @@skip_replication, and what the target does with that is not known")
        if server_id in raw.ignore_server_ids:
            return Crossing(False, f"is stopped by IGNORE_SERVER_IDS {server_id}")  # noqa: FBT003
        if raw.target_server_id and server_id == raw.target_server_id and not raw.replicate_same_server_id:
            return Crossing(False, f"is stopped: server_id {server_id} is the target's own")  # noqa: FBT003
        if domain is not None and domain in raw.ignore_domain_ids:
            return Crossing(False, f"is stopped by IGNORE_DOMAIN_IDS {domain}")  # noqa: FBT003
        if domain is not None and raw.do_domain_ids and domain not in raw.do_domain_ids:
            return Crossing(False, f"is stopped: DO_DOMAIN_IDS is set and does not name {domain}")  # noqa: FBT003
        return None

    def _statement(self, change: Change) -> Crossing:
        raw, schema = self.raw, change.default_schema
        use = filterrules.rewritten(raw, schema) if schema else None
        by_use = filterrules.database_passes(raw, use)
        if by_use.crosses is False:
            return by_use
        by_name = self._statement_names(change, use)
        if by_name.crosses is False or by_use.crosses is True:
            return by_name
        return by_use

    def _statement_names(self, change: Change, use: str | None) -> Crossing:
        """The table rules over the tables that the statement updates, as far as they can be told from its text."""
        raw, text, mode = self.raw, change.statement or "", Mode.of(change.detail.get("sql_mode", 0))
        reading = updates.updated(text, use or "", mode)
        if reading.database is not None:
            return filterrules.database_statement_passes(raw, reading.database)
        if not filterrules.has_table_rules(raw):
            return filterrules.tables_pass(raw, ())
        if reading.tables == ():
            return Crossing(True, "passes: it updates no table that a rule could look at")  # noqa: FBT003
        if reading.tables is not None:
            return filterrules.tables_pass(raw, reading.tables)
        if change.operation is Operation.statement:
            return self._candidates(named(text, use or "", mode))
        return _UNTOLD

    def _candidates(self, names: Sequence[TableName]) -> Crossing:
        """The names in DML hold every table that it updates, and more: only where all are judged alike is that an
        answer.
        """
        answers = [filterrules.tables_pass(self.raw, (table,)) for table in names]
        if answers and len({answer.crosses for answer in answers}) == 1:
            return answers[0]
        return _UNTOLD
