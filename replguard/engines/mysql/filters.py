"""The replication filters of a MySQL server: the rules from SHOW REPLICA STATUS of the target, how they were set from
the performance schema, and what the source keeps out of its binlog. What they let through is judged in
:mod:`replguard.engines.binlog.filters`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from replguard.engines.binlog.connection import literal, quoted
from replguard.engines.binlog.filtersetting import SettableFilters
from replguard.engines.binlog.optionlines import lines, value
from replguard.engines.binlog.rawfilters import RawFilters, ids, names, pairs, source_ids, source_rules
from replguard.engines.mysql.replication import either
from replguard.engines.sqlfiles import joined
from replguard.errors import ControlError, PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.base import LinkFilters, Server
    from replguard.engines.binlog.filtersetting import Rules
    from replguard.engines.mysql.server import MySQLServer
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.links import Link


class MySQLFilters(SettableFilters):
    """All kinds of rules that change are set in one statement: all of them, or none."""

    def __init__(self, server: MySQLServer) -> None:
        self._server = server

    def of(self, link: Link, source: Server | None) -> LinkFilters:
        """The filters of a link into this server, as they are set now."""
        from replguard.engines.binlog.linkfilters import link_filters  # noqa: PLC0415 - only audits need the rules

        return link_filters(
            read(self._server, link, source), link, self._server, source, partial(_startup, self._server)
        )

    @property
    def server(self) -> MySQLServer:
        return self._server

    def rules_of(self, link: Link, source: Server | None) -> RawFilters:
        from replguard.engines.binlog.linkfilters import settable  # noqa: PLC0415 - as above

        return settable(read(self._server, link, source), link, self._server)

    def statements(self, link: Link, rules: Rules) -> Iterator[tuple[tuple[str, ...], Quoted]]:
        """One statement for all of them."""
        lists = [
            self._server.text(f"filter_{kind}", names=joined([self._name(kind, rule) for rule in texts]))
            for kind, texts in rules.items()
        ]
        if lists:
            yield tuple(rules), self._server.text("set_filter", rules=joined(lists), link=literal(link.name))

    def _name(self, kind: str, rule: str) -> Quoted:
        if kind.startswith("wild"):
            return literal(rule)
        if kind.endswith("db"):
            return quoted(rule)
        # The server puts both parts together with a dot, wherever else one stands.
        database, _, table = rule.partition(".")
        return self._server.text("filter_name", database=quoted(database), table=quoted(table))

    def option_lines(self, link: Link, rules: Rules) -> tuple[str, ...]:
        """Each value names the channel, the default one by an empty name. A colon ends that name."""
        if ":" in link.name:
            return (f"# the option file cannot name channel {link.name!r}, which holds a colon",)
        heading = (f"channel {link.name!r}: in place of all other replicate-* lines that name it",)
        return tuple(lines(heading, rules, lambda option, rule: f"{option}={value(f'{link.name}:{rule}')}"))


def read(server: MySQLServer, link: Link, source: Server | None) -> RawFilters:
    """The raw rules of ``link``; ControlError where the link is gone."""
    row = next((row for row in server.run("replica_status") if row["Channel_Name"] == link.name), None)
    if row is None:
        raise ControlError(f"{link.label} is no longer there", cluster=server.name)
    do_db, ignore_db, known = source_rules(source)
    source_server_id, source_domain_id = source_ids(source)
    return RawFilters(
        do_db=names(row["Replicate_Do_DB"]),
        ignore_db=names(row["Replicate_Ignore_DB"]),
        do_table=names(row["Replicate_Do_Table"]),
        ignore_table=names(row["Replicate_Ignore_Table"]),
        wild_do_table=names(row["Replicate_Wild_Do_Table"]),
        wild_ignore_table=names(row["Replicate_Wild_Ignore_Table"]),
        rewrite_db=pairs(row["Replicate_Rewrite_DB"]),
        ignore_server_ids=ids(either(row, "Replicate_Ignore_Server_Ids")),
        lower_case_table_names=server.lower_case_table_names,
        source_server_id=source_server_id,
        source_domain_id=source_domain_id,
        target_server_id=int(server.variables["server_id"]),
        replicate_same_server_id=server.variables.get("replicate_same_server_id") == "ON",
        case_sensitive=server.lower_case_table_names == 0,
        source_binlog_do_db=do_db,
        source_binlog_ignore_db=ignore_db,
        source_binlog_known=known,
        configured_by=_origins(server, link),
    )


def _origins(server: MySQLServer, link: Link) -> dict[str, str]:
    """How each rule type was set; empty where the performance schema may not be read."""
    try:
        rows = server.run("filter_origins")
    except PrivilegeError:
        return {}
    return {row["name"]: row["configured_by"] for row in rows if row["channel"] == link.name}


def _startup(server: MySQLServer) -> dict[str, str]:
    """The rules for all channels that the server was started with, where the performance schema may be read."""
    try:
        rows = server.run("global_filter_origins")
    except PrivilegeError:
        return {}
    return {
        row["name"].removeprefix("REPLICATE_").lower(): row["rule"]
        for row in rows
        if row["configured_by"].startswith("STARTUP_OPTIONS")
    }
