"""The replication filters of a MariaDB server, read from SHOW ALL SLAVES STATUS of the target and SHOW MASTER STATUS of
the source. What they let through is judged in :mod:`replguard.engines.binlog.filters`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.connection import literal, quoted
from replguard.engines.binlog.filtersetting import SettableFilters
from replguard.engines.binlog.optionlines import lines, value
from replguard.engines.binlog.rawfilters import SOMEWHERE, RawFilters, ids, names, pairs, source_ids, source_rules
from replguard.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.base import LinkFilters, Server
    from replguard.engines.binlog.filtersetting import Rules
    from replguard.engines.mariadb.server import MariaDBServer
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.links import Link


class MariaDBFilters(SettableFilters):
    """One statement a kind of rules."""

    def __init__(self, server: MariaDBServer) -> None:
        self._server = server

    def of(self, link: Link, source: Server | None) -> LinkFilters:
        """The filters of a link into this server, as they are set now."""
        from replguard.engines.binlog.linkfilters import link_filters  # noqa: PLC0415 - only audits need the rules

        return link_filters(read(self._server, link, source), link, self._server, source)

    @property
    def server(self) -> MariaDBServer:
        return self._server

    def rules_of(self, link: Link, source: Server | None) -> RawFilters:
        from replguard.engines.binlog.linkfilters import settable  # noqa: PLC0415 - as above

        return settable(read(self._server, link, source), link, self._server)

    def statements(self, link: Link, rules: Rules) -> Iterator[tuple[tuple[str, ...], Quoted]]:
        """One statement for each kind; the default connection has no name to stand before it."""
        for kind, texts in rules.items():
            rule, names = quoted(f"replicate_{kind}"), literal(",".join(texts))
            if link.name:
                yield (kind,), self._server.text("set_filter_named", link=quoted(link.name), rule=rule, names=names)
            else:
                yield (kind,), self._server.text("set_filter", rule=rule, names=names)

    def option_lines(self, link: Link, rules: Rules) -> tuple[str, ...]:
        """Each option begins with the connection's name, which ends with the first dot."""
        if set(".#=") & set(link.name):
            return (f"# the option file cannot name connection {link.name!r}, which holds a dot, # or =",)
        prefix = f"{link.name}." if link.name else ""
        heading = (f"connection {link.name!r}: in place of all its other replicate-* lines",)
        return tuple(lines(heading, rules, lambda option, rule: f"{prefix}{option}={value(rule)}"))


def read(server: MariaDBServer, link: Link, source: Server | None) -> RawFilters:
    """The raw rules of ``link``; ControlError where the link is gone."""
    rows = server.run("replica_status")
    row = next((row for row in rows if row["Connection_name"] == link.name), None)
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
        rewrite_db=pairs(row.get("Replicate_Rewrite_DB")),
        ignore_server_ids=ids(row["Replicate_Ignore_Server_Ids"]),
        do_domain_ids=ids(row["Replicate_Do_Domain_Ids"]),
        ignore_domain_ids=ids(row["Replicate_Ignore_Domain_Ids"]),
        lower_case_table_names=server.lower_case_table_names,
        source_server_id=source_server_id,
        source_domain_id=source_domain_id,
        target_server_id=int(server.variables["server_id"]),
        replicate_same_server_id=server.variables.get("replicate_same_server_id") == "ON",
        case_sensitive=False,
        source_binlog_do_db=do_db,
        source_binlog_ignore_db=ignore_db,
        source_binlog_known=known,
        configured_by=_origins(server, "SET GLOBAL" if len(rows) == 1 else SOMEWHERE),
        unreadable=() if "Replicate_Rewrite_DB" in row else ("replicate_rewrite_db (this version does not show it)",),
    )


def _origins(server: MariaDBServer, at_run_time: str) -> dict[str, str]:
    """How each rule was set; ``at_run_time`` is said of those that were set since the server was started."""
    return {
        row["name"]: at_run_time if row["origin"] == "SQL" else "STARTUP_OPTIONS"
        for row in server.run("filter_origins")
    }
